import Domain
import TestSupport

/// Runs as they come: created, talked to, blocked on a tool, approved and completed; ids and texts differ in each.
struct TypicalEvents {
    private var random = SeededRandom(seed: 42)
    private var time: Int64 = 1_790_000_000_000_000

    /// Eight events a run.
    mutating func make(runs: Int) -> [Event] { (0..<runs).flatMap { run($0) } }

    private mutating func run(_ number: Int) -> [Event] {
        let (runID, action) = (uuid(), ActionID(uuid()))
        let hash = "sha256:" + random.hex(32)
        let question = random.sentence(12)
        let payloads: [EventPayload] = [
            .runCreated(
                RunCreated(
                    agentID: "billing-agent", agentUID: nil, userID: "user-\(number % 300)",
                    conversationID: "conv-\(number % 1000)", invokeURL: nil, initialMessage: question,
                    deadline: Timestamp(microseconds: time + 604_800_000_000))),
            added("USER_MESSAGE", nil, #"{"message":"\#(question)"}"#),
            added(
                "TOOL_REQUEST", hash,
                #"{"tool":"payments","amount":\#(number % 9000),"note":"\#(random.sentence(6))"}"#),
            .actionBlocked(
                ActionBlocked(
                    actionID: action, toolID: "payments", capability: "charge", payloadHash: PayloadHash(hash),
                    method: nil, url: nil, accessRequestID: nil,
                    expiresAt: Timestamp(microseconds: time + 86_400_000_000))),
            .actionApproved(ActionApproved(actionID: action, payloadHash: PayloadHash(hash), reason: nil)),
            .runStatusChanged(RunStatusChanged(status: .running, reason: nil)),
            added("AGENT_MESSAGE", nil, #"{"message":"\#(random.sentence(25))"}"#),
            .runStatusChanged(RunStatusChanged(status: .completed, reason: nil)),
        ]
        return payloads.enumerated().map { index, payload in event(index, payload, run: runID, "user-\(number % 300)") }
    }

    private mutating func event(_ index: Int, _ payload: EventPayload, run: UUIDValue, _ user: String) -> Event {
        time += Int64(random.next() % 5000)
        return Event(
            id: EventID(uuid()), time: Timestamp(microseconds: time), workspace: .default,
            stream: StreamID(kind: .run, id: run), streamSequence: UInt64(index + 1),
            actor: Actor(kind: .apiKey(APIKeyID(UUIDValue(high: 7, low: 7))), name: "ci"),
            causation: Causation(index: 0, idempotency: nil), traceparent: nil,
            timeline: payload.timelineType(serverDriven: false).map { _ in
                TimelineMark(sequence: UInt64(index + 1), serverDriven: false)
            }, person: user, payload: payload)
    }

    private func added(_ type: String, _ hash: String?, _ data: String) -> EventPayload {
        .runEventAdded(RunEventAdded(type: type, actor: "user", payloadHash: hash, data: JSONText(verified: data)))
    }

    /// A UUIDv7 of about now.
    private mutating func uuid() -> UUIDValue {
        UUIDValue(
            high: UInt64(time / 1000) << 16 | 0x7000 | random.next() & 0xfff,
            low: 1 << 63 | random.next() >> 2)
    }
}
