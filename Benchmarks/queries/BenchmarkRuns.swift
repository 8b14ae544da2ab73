import Domain
import EventStore
import Projections
import TestSupport

/// Runs a second apart, each created, with a call of a tool, and most of them ended: one in ten failed, one in a hundred
/// waits.
struct BenchmarkRuns {
    static let workspace = WorkspaceName.default
    private static let begin: Int64 = 1_790_000_000_000_000
    private static let agents = 20
    private static let users = 5_000
    private static let tools = 30
    private static let batchRuns = 1_000

    let count: Int

    func fill(_ projections: Projections) async throws {
        for first in stride(from: 0, to: count, by: Self.batchRuns) {
            try await projections.apply((first..<min(first + Self.batchRuns, count)).flatMap(events))
        }
    }

    /// A value of that filter, as clients would ask for it: rare ones and frequent ones.
    func value(_ name: RunFilter.Name, _ random: inout SeededRandom) -> String {
        let number = Int.random(in: 0..<count, using: &random)
        return switch name {
        case .agentID: "agent-\(number % Self.agents)"
        case .status: random.pick(["PAUSED", "FAILED", "COMPLETED", "RUNNING"])
        case .userID: user(number)
        case .conversationID: "conversation-\(number / 10)"
        case .createdAfter, .updatedAfter: time(number).description
        case .createdBefore, .updatedBefore: time(number).description
        case .tool: tool(number)
        case .error: random.pick(["declined", "code\(number % 1_000)", "card code\(number % 1_000)"])
        case .text: random.pick([user(number), "agent", "declined \(tool(number))", "billing"])
        }
    }

    private func user(_ number: Int) -> String { "user\(number % Self.users)@example.test" }
    private func tool(_ number: Int) -> String { "tool-\(number % Self.tools)" }

    private func time(_ number: Int) -> Timestamp {
        Timestamp(microseconds: Self.begin + Int64(number) * 1_000_000)
    }

    private func events(of number: Int) -> [RecordedEvent] {
        let run = RunID(UUIDValue(high: UInt64(number), low: UInt64(number)))
        let created = RunCreated(
            agentID: "agent-\(number % Self.agents)", agentUID: nil, userID: user(number),
            conversationID: "conversation-\(number / 10)", invokeURL: nil, initialMessage: "message \(number)",
            deadline: time(number + 3600))
        let refused = ToolCallRefused(
            toolID: tool(number / 7), method: "POST", url: "https://tool.test/", payloadHash: PayloadHash("sha256:00"),
            reason: "denied")
        let payloads: [EventPayload] = [.runCreated(created), .toolCallRefused(refused), ending(number)]
        return payloads.enumerated().map { index, payload in
            let sequence = UInt64(index + 1)
            let event = Event(
                id: EventID(UUIDValue(high: UInt64(number), low: sequence)), time: time(number),
                workspace: Self.workspace,
                stream: StreamID(kind: .run, id: run.value), streamSequence: sequence, actor: .scheduler,
                causation: Causation(index: 0, idempotency: nil), traceparent: nil,
                timeline: TimelineMark(sequence: sequence, serverDriven: false), payload: payload)
            return RecordedEvent(position: Position(UInt64(number) * 3 + sequence), event: event)
        }
    }

    private func ending(_ number: Int) -> EventPayload {
        let reason = number % 10 == 0 ? "card declined with code\(number % 1_000)" : nil
        let status: RunStatus = number % 100 == 1 ? .pausedApproval : reason == nil ? .completed : .failed
        return .runStatusChanged(RunStatusChanged(status: status, reason: reason))
    }
}
