import Domain
import Testing

/// Approvals and grants are for the tool that their approvers were shown, at the same origin.
@Suite struct ToolBindingTests {
    private typealias Gate = GateScenario

    /// The tool as it may be later, and true where it still is the one that was approved.
    private static let later: [(tool: ToolIdentity, isSame: Bool)] = [
        (.example, true),
        (ToolIdentity(id: ToolIdentity.example.id, origin: "https://other"), false),
        (ToolIdentity(id: ToolIdentity.example.id, origin: "https://bank:8443"), false),
        (ToolIdentity(id: ToolIdentity.example.id, origin: "http://bank"), false),
        (ToolIdentity(id: ResourceID(UUIDValue(high: 7, low: 8)), origin: "https://bank"), false),
    ]

    @Test(arguments: [AccessScope.run, .agentUserTTL])
    func aGrantCoversTheToolItWasGivenForAtItsOrigin(scope: AccessScope) throws {
        for (tool, isSame) in Self.later {
            var gate = try Gate()
            let grant = try gate.grant(Gate.plain, scope)
            gate.tool = tool
            let outcome = try gate.begin(gate.call(body: gate.newBody()), Gate.plain)
            #expect(outcome == (isSame ? .started(nil, grant) : .blocked), "\(tool)")
        }
    }

    @Test func aGrantOnAClientsRequestCoversTheToolOfThatTime() throws {
        for (tool, isSame) in Self.later {
            var gate = try Gate()
            let request = try gate.ask(method: "POST", url: "https://bank/pay")
            #expect(gate.approve(request, as: try gate.member(""), .agentUserTTL) == nil)
            gate.tool = tool
            let outcome = try gate.begin(gate.call(body: gate.newBody()), Gate.plain)
            #expect(outcome == (isSame ? .started(nil, request) : .blocked), "\(tool)")
        }
    }

    @Test func anApprovalOfOneCallIsForItsToolEvenAtTheSameURL() throws {
        for (tool, isSame) in Self.later {
            var gate = try Gate()
            let call = gate.call(body: 1)
            let action = try gate.blocked(call, Gate.plain)
            let request = try #require(action.accessRequestID)
            #expect(gate.approve(request, as: try gate.member(""), .once) == nil)
            gate.tool = tool
            #expect(try gate.begin(call, Gate.plain) == (isSame ? .started(action.actionID, nil) : .blocked), "\(tool)")
        }
    }

    @Test func aToolThatReturnsToItsOriginIsCoveredAgain() throws {
        var gate = try Gate()
        let grant = try gate.grant(Gate.plain, .agentUserTTL)
        gate.tool = Self.later[1].tool
        #expect(try gate.begin(gate.call(body: gate.newBody()), Gate.plain) == .blocked)
        try gate.startRun(as: gate.starter)
        gate.tool = .example
        #expect(try gate.begin(gate.call(body: gate.newBody()), Gate.plain) == .started(nil, grant))
    }

    @Test func aRequestForAToolThatMovedIsARequestOfItsOwn() throws {
        var gate = try Gate()
        let first = try gate.ask()
        #expect(gate.scenario.state.accessRequests.count == 1)
        _ = try gate.ask()
        #expect(Array(gate.scenario.state.accessRequests.keys) == [first])
        gate.tool = Self.later[1].tool
        let second = try gate.ask()
        #expect(Set(gate.scenario.state.accessRequests.keys) == [first, second])
    }

    @Test(arguments: [AccessScope.run, .agentUserTTL])
    func aGrantThatNamesNoToolCoversNothing(scope: AccessScope) throws {
        var gate = try Gate()
        _ = try gate.grant(Gate.plain, scope)
        gate.scenario.refold(Self.asOlderVersionsRecorded)
        #expect(try gate.begin(gate.call(body: gate.newBody()), Gate.plain) == .blocked)
    }

    @Test func anApprovalOfOneCallThatNamesNoToolIsForItsURL() throws {
        var gate = try Gate()
        let call = gate.call(body: 1)
        let action = try gate.blocked(call, Gate.plain)
        #expect(gate.approve(try #require(action.accessRequestID), as: try gate.member(""), .once) == nil)
        gate.scenario.refold(Self.asOlderVersionsRecorded)
        #expect(try gate.begin(call, Gate.plain) == .started(action.actionID, nil))
    }

    private static func asOlderVersionsRecorded(_ payload: EventPayload) -> EventPayload {
        switch payload {
        case .accessRequested(let requested):
            return .accessRequested(
                AccessRequested(
                    subject: requested.subject, toolID: requested.toolID, agentID: requested.agentID,
                    duration: requested.duration, run: requested.run, capability: requested.capability,
                    payloadHash: requested.payloadHash, headersHash: requested.headersHash, method: requested.method,
                    url: requested.url, expiresAt: requested.expiresAt, isForOneCall: requested.isForOneCall))
        case .actionBlocked(let blocked):
            let call = blocked.call.map { call in
                BlockedCall(
                    fingerprint: call.fingerprint, reason: call.reason, requirement: call.requirement,
                    headers: call.headers, headersHash: call.headersHash, payload: call.payload)
            }
            return .actionBlocked(
                ActionBlocked(
                    actionID: blocked.actionID, toolID: blocked.toolID, capability: blocked.capability,
                    payloadHash: blocked.payloadHash, method: blocked.method, url: blocked.url,
                    accessRequestID: blocked.accessRequestID, expiresAt: blocked.expiresAt, call: call))
        default: return payload
        }
    }
}
