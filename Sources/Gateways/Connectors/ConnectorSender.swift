import Domain
import Governance
import Outbound

/// Sends requests to services, by the same guarded connections as tools' calls; redirects are not followed.
struct ConnectorSender: Sendable {
    private static let answerBytesMax = 256 * 1024

    let client: OutboundClient

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
        do throws(OutboundError) {
            let response = try await client.execute(
                OutboundRequest(
                    "POST", url.text, headers: Self.headers(request, connector, key), body: request.body,
                    addresses: AddressPolicy(isInternal: connector.isInternal),
                    limits: OutboundLimits(headTimeout: connector.timeout, bodyBytesMax: Self.answerBytesMax)))
            return ConnectorAnswer(
                status: UInt32(response.status), body: try await response.body.collect(),
                retryAfter: response.header("retry-after"))
        } catch {
            throw Self.unanswered(error, url, connector)
        }
    }

    private static func headers(
        _ request: ConnectorRequest, _ connector: ApprovalConnector, _ key: String
    ) -> [(name: String, value: String)] {
        // The same key for each attempt, so that the service takes the message once.
        var headers: [(name: String, value: String)] = [("Idempotency-Key", key), ("User-Agent", "sluice")]
        func isSet(_ name: String) -> Bool { headers.contains { $0.name.lowercased() == name.lowercased() } }
        headers += request.headers.filter { !isSet($0.name) }.map { ($0.name, $0.value) }
        for header in connector.connection.headers
        where !isSet(header.name) && header.name.lowercased() != "x-routing-key" {
            if let value = header.value.string { headers.append((header.name, value)) }
        }
        return headers
    }

    private static func unanswered(
        _ error: OutboundError, _ url: NormalizedURL, _ connector: ApprovalConnector
    ) -> Unanswered {
        switch error {
        case .addressRefused(let refusal):
            Unanswered(message: refusal.reason(allowing: "the connector with topology"), isRetryable: false)
        case .tooLarge(let bytesMax):
            Unanswered(message: "the service answered more than \(bytesMax) bytes", isRetryable: true)
        case .malformed: Unanswered(message: "the answer of \(url.origin) breaks HTTP", isRetryable: true)
        case _ where error.isNeverSent:
            Unanswered(message: "\(url.origin) could not be reached", isRetryable: true)
        default:
            Unanswered(message: "\(url.origin) gave no answer within \(connector.timeout)", isRetryable: true)
        }
    }
}
