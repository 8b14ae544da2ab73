import AsyncHTTPClient
import Authentication
import Domain
import Governance
import NIOCore
import NIOHTTP1

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
    private static let timeout = TimeAmount.seconds(10)
    private static let answerBytesMax = 1024 * 1024

    private let clients: EgressClients

    init(_ clients: EgressClients) { self.clients = clients }

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
        var request = HTTPClientRequest(url: url.text)
        request.headers.add(name: "Accept", value: "application/json, application/jwk-set+json")
        do {
            let client = clients.client(host: url.host, isInternal: address.isInternal)
            let response = try await client.execute(request, timeout: Self.timeout)
            guard response.status == .ok else { throw KeySetUnavailable("it answered \(response.status.code)") }
            return Array(try await response.body.collect(upTo: Self.answerBytesMax).readableBytesView)
        } catch let error as KeySetUnavailable {
            throw error
        } catch let error as EgressClients.AddressRefused {
            throw KeySetUnavailable(
                "\(url.host) is at the \(error.address.kind.rawValue) address \(error.address); if it is meant to, store "
                    + "the identity provider with spec.topology Internal")
        } catch is NIOTooManyBytesError {
            throw KeySetUnavailable("it answered more than \(Self.answerBytesMax) bytes")
        } catch {
            throw KeySetUnavailable("it did not answer")
        }
    }
}
