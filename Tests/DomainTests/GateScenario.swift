import Domain
import Testing

extension ToolIdentity {
    static let example = ToolIdentity(id: ResourceID(UUIDValue(high: 7, low: 7)), origin: "https://bank")
}

/// A run at the gate: its calls, and the approvals and grants that they meet.
struct GateScenario {
    enum Outcome: Hashable {
        /// It is made, and recorded before that: under an approval, a grant, or the policy alone.
        case started(ActionID?, AccessRequestID?)
        /// It is made, and may be made again.
        case allowed
        case blocked
        case replayed
        case mismatched
    }

    var scenario = Scenario()
    let starter: Actor
    /// The tool as it is now.
    var tool = ToolIdentity.example
    private(set) var run: RunID
    private var approvers: [String: Actor] = [:]
    private var body: UInt64 = 1_000

    static let signature = DecisionSignature(principal: "m", bytes: [1, 2, 3], grant: nil)
    static let plain = requirement([])

    init() throws {
        var scenario = Scenario()
        starter = try scenario.approver("starter", [])
        scenario.actor = starter
        try scenario.deploy()
        run = try scenario.createRun()
        self.scenario = scenario
    }

    static func requirement(
        _ groups: [String], every: Bool = false, signed: Bool = false, longest: Duration? = nil, name: String = "rule"
    ) -> RequiredApproval {
        RequiredApproval(
            name: name, groups: groups, needsEveryGroup: every, duration: nil, needsSignature: signed,
            durationMax: longest)
    }

    /// Continues with another run.
    mutating func startRun(as actor: Actor, user: String = "alice", proven: Person? = nil) throws {
        scenario.actor = actor
        run = scenario.newID()
        try scenario.when(
            .createRun(
                CreateRun(
                    runID: run, agentID: "payments", userID: user, conversationID: nil, invokeURL: nil,
                    initialMessage: nil, user: proven)))
    }

    /// A body that no other call has.
    mutating func newBody() -> UInt64 {
        body += 1
        return body
    }

    mutating func call(
        _ method: String = "POST", body: UInt64, url: String = "https://bank/pay", capability: String? = nil,
        turn: UInt64 = 0, repeats: Bool? = nil
    ) -> ToolCall {
        ToolCall(
            id: scenario.newID(), toolID: "bank", capability: capability, method: method, url: url,
            payloadHash: PayloadHash("sha256:\(body)"), fingerprint: UUIDValue(high: turn, low: body),
            isRepeatable: repeats ?? (method == "GET"))
    }

    mutating func events(of call: ToolCall, _ requirement: RequiredApproval?) throws -> [EventPayload] {
        let block = BlockToolCall(
            actionID: scenario.newID(), requestID: scenario.newID(), reason: "", headers: JSONText(verified: "{}"),
            payload: nil)
        let begin = BeginToolCall(call: call, agentID: "payments", tool: tool, requirement: requirement, block: block)
        return try scenario.when(.beginToolCall(run: run, begin)).map(\.payload)
    }

    mutating func begin(_ call: ToolCall, _ requirement: RequiredApproval?) throws -> Outcome {
        for event in try events(of: call, requirement) {
            switch event {
            case .toolCallStarted(let started): return .started(started.call.actionID, started.call.grantID)
            case .actionBlocked: return .blocked
            case .toolCallReplayed: return .replayed
            case .payloadMismatched: return .mismatched
            default: continue
            }
        }
        return .allowed
    }

    mutating func finish(_ outcome: ToolCalled.Outcome = .answered(statusCode: 200)) throws {
        let started = scenario.history.last { if case .toolCallStarted = $0.payload { true } else { false } }
        guard case .toolCallStarted(let started)? = started?.payload else { return }
        try scenario.when(
            .recordToolCall(
                run: run,
                ToolCalled(call: started.call, outcome: outcome, latency: .zero, answerBytes: 0, answer: nil)))
    }

    /// Blocks a call; its action.
    mutating func blocked(_ call: ToolCall, _ requirement: RequiredApproval?) throws -> ActionBlocked {
        let found = try events(of: call, requirement).compactMap {
            if case .actionBlocked(let blocked) = $0 { blocked } else { nil }
        }
        return try #require(found.first)
    }

    /// The key of a member of a group; of no group for the empty name.
    mutating func member(_ group: String) throws -> Actor {
        if let actor = approvers[group] { return actor }
        let actor = try scenario.approver("member of \(group)", group.isEmpty ? [] : [group])
        approvers[group] = actor
        return actor
    }

    mutating func approve(
        _ request: AccessRequestID, as actor: Actor, _ scope: AccessScope?, _ duration: Duration? = nil,
        signed: Bool = false
    ) -> Rejection? {
        scenario.actor = actor
        return scenario.rejection(
            .approveAccess(
                ApproveAccess(
                    requestID: request, scope: scope, duration: duration, reason: nil, payloadHash: nil,
                    signature: signed ? Self.signature : nil)))
    }

    /// Has a call blocked and approved as the requirement asks, with a wider scope; its grant.
    mutating func grant(
        _ requirement: RequiredApproval, _ scope: AccessScope, _ duration: Duration? = nil, call: ToolCall? = nil
    ) throws -> AccessRequestID {
        let call = call ?? self.call(body: newBody())
        let request = try #require(try blocked(call, requirement).accessRequestID)
        let needed = requirement.needsEveryGroup ? requirement.groups : [requirement.groups.last ?? ""]
        for group in needed {
            let actor = try member(group)
            #expect(approve(request, as: actor, scope, duration, signed: requirement.needsSignature) == nil)
        }
        // Its own approval is used up, so that what is left is the grant.
        guard case .started? = try? begin(call, requirement) else {
            Issue.record("the approved call did not start")
            return request
        }
        try finish()
        return request
    }

    /// An access request that a client makes, for no run unless it says so.
    mutating func ask(
        of run: RunID? = nil, capability: String? = nil, method: String? = nil, url: String? = nil,
        hash: PayloadHash? = nil, duration: Duration? = nil
    ) throws(Rejection) -> AccessRequestID {
        let asked = RequestAccess(
            requestID: scenario.newID(), subject: "alice", toolID: "bank", agentID: "payments", duration: duration,
            runID: run, actionID: scenario.newID(), capability: capability, payloadHash: hash, method: method, url: url,
            tool: tool)
        try scenario.when(.requestAccess(asked))
        return asked.requestID
    }
}
