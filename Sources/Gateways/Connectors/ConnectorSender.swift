import AsyncHTTPClient
import Domain
import Governance
import NIOCore
import NIOHTTP1

/// Sends requests to services, by the same guarded connections as tools' calls; redirects are not followed.
struct ConnectorSender: Sendable {
    private static let answerBytesMax = 256 * 1024

    let clients: EgressClients

    /// Why there is no answer. Nothing secret is in it.
    struct Unanswered: Error {
        let message: String
        let isRetryable: Bool
    }

    func send(
        _ request: ConnectorRequest, by connector: ApprovalConnector, key: String
    ) async throws(Unanswered) -> ConnectorAnswer {
        let url: NormalizedURL
        do throws(InvalidURL) { url = try NormalizedURL(request.url) } catch {
            throw Unanswered(message: "the endpoint \(error.reason)", isRetryable: false)
        }
        var outgoing = HTTPClientRequest(url: url.text)
        outgoing.method = .POST
        for header in request.headers { outgoing.headers.add(name: header.name, value: header.value) }
        for header in connector.connection.headers
        where outgoing.headers[header.name].isEmpty && header.name.lowercased() != "x-routing-key" {
            if let value = header.value.string { outgoing.headers.add(name: header.name, value: value) }
        }
        // The same for each attempt, so that who looks at it takes the message once.
        outgoing.headers.replaceOrAdd(name: "Idempotency-Key", value: key)
        outgoing.headers.replaceOrAdd(name: "User-Agent", value: "sluice")
        outgoing.body = .bytes(ByteBuffer(bytes: request.body))
        do {
            let client = clients.client(host: url.host, isInternal: connector.isInternal)
            let response = try await client.execute(outgoing, timeout: TimeAmount(connector.timeout))
            let body = try await response.body.collect(upTo: Self.answerBytesMax)
            return ConnectorAnswer(status: UInt32(response.status.code), body: Array(body.readableBytesView))
        } catch let error as EgressClients.AddressRefused {
            throw Unanswered(
                message:
                    "\(url.host) is at the \(error.address.kind.rawValue) address \(error.address); if it is meant "
                    + "to, store the connector with topology Internal",
                isRetryable: false)
        } catch is NIOTooManyBytesError {
            throw Unanswered(message: "the service answered more than \(Self.answerBytesMax) bytes", isRetryable: true)
        } catch {
            throw Unanswered(
                message: EgressClients.neverSent(error)
                    ? "\(url.origin) could not be reached" : "\(url.origin) gave no answer within \(connector.timeout)",
                isRetryable: true)
        }
    }
}
