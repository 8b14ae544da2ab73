import Domain
import Testing

/// An approval of one call is one call, and no action that an agent or a client made is an approval.
@Suite struct OnceRulesTests {
    private typealias Gate = GateScenario

    @Test(arguments: ["GET", "HEAD", "POST", "DELETE"], [true, false])
    func anApprovalCarriesOneCallWhateverTheMethod(method: String, repeats: Bool) throws {
        var gate = try Gate()
        let blocked = try gate.blocked(gate.call(method, body: 1, repeats: repeats), Gate.plain)
        let request = try #require(blocked.accessRequestID)
        #expect(gate.approve(request, as: try gate.member(""), .once) == nil)
        #expect(
            try gate.begin(gate.call(method, body: 1, repeats: repeats), Gate.plain) == .started(blocked.actionID, nil))
        // At the same time: the same call waits for its end, one of another turn is another call.
        let again = BeginToolCall(
            call: gate.call(method, body: 1, repeats: repeats), agentID: "payments", tool: .example,
            requirement: Gate.plain)
        #expect(gate.scenario.rejection(.beginToolCall(run: gate.run, again))?.code == .callOnItsWay)
        let otherTurn = BeginToolCall(
            call: gate.call(method, body: 1, turn: 7, repeats: repeats), agentID: "payments", tool: .example,
            requirement: Gate.plain)
        #expect(gate.scenario.rejection(.beginToolCall(run: gate.run, otherTurn))?.code == .approvalRequired)
        try gate.finish()
        #expect(try gate.begin(gate.call(method, body: 1, repeats: repeats), Gate.plain) == .blocked)
    }

    @Test func aSafeCallThatDidNotReachItsToolKeepsItsApproval() throws {
        var gate = try Gate()
        let blocked = try gate.blocked(gate.call("GET", body: 1), Gate.plain)
        let request = try #require(blocked.accessRequestID)
        #expect(gate.approve(request, as: try gate.member(""), .once) == nil)
        for _ in 0..<2 {
            #expect(try gate.begin(gate.call("GET", body: 1), Gate.plain) == .started(blocked.actionID, nil))
            try gate.finish(.unreached(statusCode: 502, error: "refused"))
        }
    }

    @Test func aSafeCallOfUnknownOutcomeIsNotMadeAgainUnderTheSameApproval() throws {
        var gate = try Gate()
        let blocked = try gate.blocked(gate.call("GET", body: 1), Gate.plain)
        let request = try #require(blocked.accessRequestID)
        #expect(gate.approve(request, as: try gate.member(""), .once) == nil)
        _ = try gate.begin(gate.call("GET", body: 1), Gate.plain)
        try gate.finish(.unknown(error: "interrupted"))
        #expect(try gate.begin(gate.call("GET", body: 1), Gate.plain) == .blocked)
        #expect(gate.scenario.state.runs[gate.run]?.action(blocked.actionID)?.status == .failed)
    }

    @Test func safeCallsUnderAGrantAreMadeSideBySideAndSayUnderWhich() throws {
        var gate = try Gate()
        let grant = try gate.grant(Gate.plain, .run, call: gate.call("GET", body: 1))
        for _ in 0..<3 { #expect(try gate.begin(gate.call("GET", body: 1), Gate.plain) == .started(nil, grant)) }
    }

    @Test(arguments: [true, false])
    func anActionThatAClientMadeIsNoApproval(namesTheCall: Bool) throws {
        for requirement in [Gate.plain, Gate.requirement(["f"]), Gate.requirement([], signed: true)] {
            var gate = try Gate()
            let action: ActionID = gate.scenario.newID()
            let block = BlockAction(
                actionID: action, toolID: "bank", capability: "GET /x", payloadHash: PayloadHash("sha256:1"),
                method: namesTheCall ? "POST" : nil, url: namesTheCall ? "https://bank/pay" : nil)
            try gate.scenario.when(.blockAction(run: gate.run, block))
            gate.scenario.actor = try gate.member("f")
            try gate.scenario.when(
                .approveAction(
                    run: gate.run, action: action, payloadHash: PayloadHash("sha256:1"), reason: nil,
                    signature: Gate.signature))
            #expect(try gate.begin(gate.call(body: 1), requirement) == .blocked)
            #expect(gate.scenario.state.runs[gate.run]?.action(action)?.status == .approved, "the client's to execute")
        }
    }

    @Test func anActionThatAClientMadeIsNoMismatchEither() throws {
        var gate = try Gate()
        let action: ActionID = gate.scenario.newID()
        let block = BlockAction(
            actionID: action, toolID: "bank", capability: nil, payloadHash: PayloadHash("sha256:1"), method: "POST",
            url: "https://bank/pay")
        try gate.scenario.when(.blockAction(run: gate.run, block))
        gate.scenario.actor = try gate.member("")
        try gate.scenario.when(
            .approveAction(run: gate.run, action: action, payloadHash: PayloadHash("sha256:1"), reason: nil))
        #expect(try gate.begin(gate.call(body: 2), Gate.plain) == .blocked)
    }

    @Test func anApprovalIsWorthWhatThePolicyAsksForByNow() throws {
        var gate = try Gate()
        let blocked = try gate.blocked(gate.call(body: 1), Gate.plain)
        let request = try #require(blocked.accessRequestID)
        #expect(gate.approve(request, as: try gate.member(""), .once) == nil)
        // The policy asks for more meanwhile.
        let strict = Gate.requirement(["f"])
        let again = try gate.blocked(gate.call(body: 1), strict)
        #expect(again.actionID != blocked.actionID)
        let second = try #require(again.accessRequestID)
        #expect(gate.approve(second, as: try gate.member(""), .once)?.code == .notAnApprover)
        #expect(gate.approve(second, as: try gate.member("f"), .once) == nil)
        #expect(try gate.begin(gate.call(body: 1), strict) == .started(again.actionID, nil))
    }
}
