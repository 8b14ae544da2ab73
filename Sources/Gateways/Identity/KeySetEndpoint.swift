import Authentication
import Domain
import Governance
import Outbound

/// Where keys are fetched, and on which network.
struct KeySetAddress: Hashable, Sendable {
    let url: String
    let isInternal: Bool
}

/// Why keys are not to be had. Nothing that the other side wrote is in it.
struct KeySetUnavailable: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

/// Gives out key sets.
protocol KeySetEndpoint: Sendable {
    func keys(_ address: KeySetAddress) async throws(KeySetUnavailable) -> KeySet
}

/// Key sets fetched over HTTP; redirects are not followed.
struct HTTPKeySetEndpoint: KeySetEndpoint {
    private static let timeout = Duration.seconds(10)
    private static let answerBytesMax = 1024 * 1024

    private let client: OutboundClient

    init(_ client: OutboundClient) { self.client = client }

    func keys(_ address: KeySetAddress) async throws(KeySetUnavailable) -> KeySet {
        let document = try await document(address)
        guard let keys = await KeySet(document) else {
            throw KeySetUnavailable("it answered no key set, or one without a key that verifies signatures")
        }
        return keys
    }

    /// A JSON document, fetched by the same rules as key sets.
    func document(_ address: KeySetAddress) async throws(KeySetUnavailable) -> JSONValue {
        let answer = try await fetch(address)
        do throws(JSONError) { return try JSONValue(parsing: answer) } catch {
            throw KeySetUnavailable("it answered something else than JSON")
        }
    }

    private func fetch(_ address: KeySetAddress) async throws(KeySetUnavailable) -> [UInt8] {
        let url: NormalizedURL
        do throws(InvalidURL) { url = try NormalizedURL(address.url) } catch {
            throw KeySetUnavailable("its URL \(error.reason)")
        }
        let (status, body): (Int, [UInt8])
        do throws(OutboundError) {
            let response = try await client.execute(
                OutboundRequest(
                    "GET", url.text, headers: [("Accept", "application/json, application/jwk-set+json")],
                    addresses: AddressPolicy(isInternal: address.isInternal),
                    limits: OutboundLimits(headTimeout: Self.timeout, bodyBytesMax: Self.answerBytesMax)))
            status = response.status
            body = status == 200 ? try await response.body.collect() : []
        } catch {
            switch error {
            case .addressRefused(let refusal):
                throw KeySetUnavailable(refusal.reason(allowing: "the identity provider with spec.topology"))
            case .tooLarge(let bytesMax): throw KeySetUnavailable("it answered more than \(bytesMax) bytes")
            default: throw KeySetUnavailable("it did not answer")
            }
        }
        guard status == 200 else { throw KeySetUnavailable("it answered \(status)") }
        return body
    }
}
