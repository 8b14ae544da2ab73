package import Domain
package import Outbound

/// Sends a message that asks for nothing, and says what became of it.
package struct ConnectorTest: Sendable {
    package struct Check: Sendable {
        package let id: String
        package let label: String
        package let isPassed: Bool
        package let message: String
        package let duration: Duration
    }

    private let sender: ConnectorSender

    package init(client: OutboundClient) { sender = ConnectorSender(client: client) }

    /// The checks in order; after one that fails there is no other.
    package func run(
        _ connector: ApprovalConnector, id: DeliveryID, in workspace: WorkspaceName, at time: Timestamp
    ) async -> [Check] {
        var message = ApprovalMessage(
            deliveryID: id, workspace: workspace, subject: .request(AccessRequestID(id.value)), agent: "none",
            user: "nobody", tool: "none", capability: nil, method: nil, url: nil, payloadHash: nil,
            reason: "a test of the connector", approvers: nil, expiresAt: time)
        message.isTest = true
        let request: ConnectorRequest
        do throws(ConnectorProblem) { request = try connector.format.ask(message, at: time) } catch {
            return [Self.configuration(error.message)]
        }
        let start = ContinuousClock.now
        func delivery(_ isPassed: Bool, _ text: String) -> [Check] {
            [
                Self.configuration(nil),
                Check(
                    id: "delivery", label: "The service takes a message", isPassed: isPassed, message: text,
                    duration: start.duration(to: .now)),
            ]
        }
        do throws(ConnectorSender.Unanswered) {
            let answer = try await sender.send(request, by: connector, key: "\(id)")
            switch connector.format.read(answer, to: message) {
            case .delivered: return delivery(true, "the service answered \(answer.status)")
            case .refused(let error, _): return delivery(false, error)
            }
        } catch {
            return delivery(false, error.message)
        }
    }

    private static func configuration(_ problem: String?) -> Check {
        Check(
            id: "configuration", label: "The connector has what its service needs", isPassed: problem == nil,
            message: problem ?? "complete", duration: .zero)
    }
}
