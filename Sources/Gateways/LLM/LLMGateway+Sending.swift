import AsyncHTTPClient
import Domain
import Governance
import NIOCore
import NIOHTTP1

extension LLMGateway {
    /// Why a provider gave no answer that an agent could use. Holds no secret, and nothing that the provider wrote.
    struct Failure: Error {
        let reason: String
    }

    /// Sends the call with the provider's credentials, and once more when these were stale.
    func send(to provider: ModelProvider, _ request: LLMRequest) async -> Result<HTTPClientResponse, Failure> {
        do {
            let url = try provider.url(of: request.operation)
            let bare = OutgoingCall(
                method: "POST", url: url.text, headers: ModelHeaders.ofCall(request.headers) + [("via", Self.via)],
                body: request.body)
            let injector = try credentials.injector(
                for: ResourceKey(workspace: request.workspace, kind: .modelProvider, name: provider.name),
                authentication: provider.authentication)
            let first = try await injector.apply(to: bare)
            var response = try await send(first, url, provider)
            if response.status == .unauthorized, injector.mayRenew(after: first) {
                response = try await send(try await injector.apply(to: bare), url, provider)
            }
            if let reason = Self.refusal(response.status) { throw Failure(reason: reason) }
            return .success(response)
        } catch let error as Failure {
            return .failure(error)
        } catch let error as UnusableEndpoint {
            return .failure(Failure(reason: error.reason))
        } catch {
            return .failure(Failure(reason: "\(error)"))
        }
    }

    private func send(
        _ call: OutgoingCall, _ url: NormalizedURL, _ provider: ModelProvider
    ) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: call.url)
        request.method = .POST
        request.headers = HTTPHeaders(call.headers.map { ($0.name, $0.value) })
        request.body = .bytes(ByteBuffer(bytes: call.body))
        do {
            return try await clients.client(host: url.host, isInternal: provider.isInternal).execute(
                request, timeout: .milliseconds(Int64(configuration.timeout / .milliseconds(1))))
        } catch let error as EgressClients.AddressRefused {
            throw Failure(
                reason: "\(url.host) is at the \(error.address.kind.rawValue) address \(error.address); if it is meant "
                    + "to, store the model provider with spec.topology Internal")
        } catch {
            throw Failure(reason: "the provider did not answer: \(error)")
        }
    }

    /// Why an answer is not the agent's to see: what is wrong between Sluice and the provider is the operator's.
    private static func refusal(_ status: HTTPResponseStatus) -> String? {
        switch status.code {
        case 200...299: nil
        case 300...399: "the provider answered with a redirect (\(status.code)), which is not followed"
        case 401, 403, 407: "the provider refuses the credentials (\(status.code)): set the model provider's again"
        case 400...499: nil
        default: "the provider answered with status \(status.code)"
        }
    }
}
