import Domain
import Testing

/// Calls that a granted request covers, and calls that differ from them in one respect.
@Suite struct GrantReachTests {
    private static let requirement = RequiredApproval(name: "", groups: [], needsEveryGroup: false, duration: nil)

    private var scenario = Scenario()

    private mutating func run(agent: String = "payments", user: String = "alice") throws -> RunID {
        let id: RunID = scenario.newID()
        try scenario.when(
            .createRun(
                CreateRun(
                    runID: id, agentID: agent, userID: user, conversationID: nil, invokeURL: nil, initialMessage: nil)))
        return id
    }

    private mutating func ask(
        tool: String = "bank", run: RunID? = nil, hash: PayloadHash? = nil, capability: String? = nil,
        method: String? = nil, url: String? = nil
    ) throws -> RequestAccess {
        let asked = RequestAccess(
            requestID: scenario.newID(), subject: "alice", toolID: tool, agentID: "payments", duration: .seconds(60),
            runID: run, actionID: scenario.newID(), capability: capability, payloadHash: hash, method: method, url: url,
            tool: .example)
        try scenario.when(.requestAccess(asked))
        return asked
    }

    private func approval(_ asked: RequestAccess, _ scope: AccessScope?, hash: PayloadHash? = nil) -> Command {
        .approveAccess(
            ApproveAccess(requestID: asked.requestID, scope: scope, duration: nil, reason: nil, payloadHash: hash))
    }

    /// The call's grant; `nil` when the call needs an approval.
    private mutating func grant(
        of run: RunID, agent: String = "payments", tool: String = "bank", capability: String? = nil
    ) -> AccessRequestID? {
        let call = ToolCall(
            id: scenario.newID(), toolID: tool, capability: capability, method: "POST", url: "https://bank.test/pay",
            payloadHash: PayloadHash("sha256:1"), fingerprint: UUIDValue(high: 1, low: 1), isRepeatable: false)
        let begin = BeginToolCall(call: call, agentID: agent, tool: .example, requirement: Self.requirement)
        let rejection = scenario.rejection(.beginToolCall(run: run, begin))
        guard rejection == nil, case .toolCallStarted(let started)? = scenario.history.last?.payload else {
            #expect(rejection?.code == .approvalRequired)
            return nil
        }
        return started.call.grantID
    }

    @Test mutating func coversTheAgentsCallsOfTheToolForTheUser() throws {
        let (asked, run) = (try ask(), try run())
        try scenario.when(approval(asked, .agentUserTTL))
        #expect(grant(of: run) == asked.requestID)
    }

    @Test mutating func coversNothingWhileItIsPending() throws {
        _ = try ask()
        #expect(grant(of: try run()) == nil)
    }

    @Test mutating func coversNothingAfterItsEnd() throws {
        let (asked, run) = (try ask(), try run())
        try scenario.when(approval(asked, .agentUserTTL))
        scenario.advance(.seconds(60))
        #expect(grant(of: run) == nil)
    }

    @Test mutating func coversNoOtherTool() throws {
        let (asked, run) = (try ask(tool: "ledger"), try run())
        try scenario.when(approval(asked, .agentUserTTL))
        #expect(grant(of: run) == nil)
    }

    @Test mutating func coversNoOtherAgent() throws {
        let (asked, run) = (try ask(), try run(agent: "reports"))
        try scenario.when(approval(asked, .agentUserTTL))
        #expect(grant(of: run, agent: "reports") == nil)
    }

    @Test mutating func coversNoOtherUser() throws {
        let (asked, run) = (try ask(), try run(user: "bob"))
        try scenario.when(approval(asked, .agentUserTTL))
        #expect(grant(of: run) == nil)
    }

    @Test(
        arguments: [
            ("pay", nil, nil, true), ("pay", "POST", "https://bank.test/pay", true), ("read", nil, nil, false),
            ("pay", "GET", nil, false), ("pay", nil, "https://bank.test/harmless", false),
        ] as [(String, String?, String?, Bool)])
    mutating func coversNoMoreThanAClientToldItsApprover(
        capability: String, method: String?, url: String?, isCovered: Bool
    ) throws {
        let run = try run()
        let asked = try ask(run: run, capability: capability, method: method, url: url)
        try scenario.when(approval(asked, .run))
        #expect((grant(of: run, capability: "pay") == asked.requestID) == isCovered)
    }

    @Test mutating func coversNoOtherWorkspace() throws {
        let asked = try ask()
        try scenario.when(approval(asked, .agentUserTTL))
        scenario.workspace = try #require(WorkspaceName("other"))
        #expect(grant(of: try run()) == nil)
    }

    @Test mutating func coversNothingWithoutAScope() throws {
        let (asked, run) = (try ask(), try run())
        let events = try scenario.when(approval(asked, nil))
        guard case .accessApproved(let approved)? = events.first?.payload else {
            Issue.record("it was not approved")
            return
        }
        #expect(approved.scope == .once)
        #expect(grant(of: run) == nil)
    }

    @Test mutating func isDecidedOnce() throws {
        let asked = try ask()
        try scenario.when(approval(asked, .agentUserTTL))
        #expect(scenario.rejection(approval(asked, .agentUserTTL))?.code == .accessRequestNotPending)
        let reject = Command.rejectAccess(request: asked.requestID, reason: nil)
        #expect(scenario.rejection(reject)?.code == .accessRequestNotPending)
    }

    @Test mutating func isDecidedInItsOwnWorkspace() throws {
        let asked = try ask()
        scenario.workspace = try #require(WorkspaceName("other"))
        #expect(scenario.rejection(approval(asked, .agentUserTTL))?.code == .accessRequestNotActive)
        #expect(
            scenario.rejection(.rejectAccess(request: asked.requestID, reason: nil))?.code == .accessRequestNotActive)
        scenario.workspace = .default
        try scenario.when(approval(asked, .agentUserTTL))
    }

    @Test mutating func isApprovedForTheBytesThatWereShown() throws {
        let (hash, other) = (PayloadHash("one"), PayloadHash("other"))
        let run = try run()
        for asked in [try ask(hash: hash), try ask(run: run, hash: hash)] {
            #expect(scenario.rejection(approval(asked, .once, hash: other))?.code == .payloadHashMismatch)
            try scenario.when(approval(asked, .once, hash: hash))
        }
    }

    @Test mutating func openRequestsAreLimited() throws {
        scenario.settings.limits.openAccessRequestsMax = 1
        _ = try ask()
        let second = RequestAccess(
            requestID: scenario.newID(), subject: "bob", toolID: "bank", agentID: nil, duration: nil, runID: nil,
            actionID: scenario.newID(), capability: nil, payloadHash: nil, method: nil, url: nil)
        #expect(scenario.rejection(.requestAccess(second))?.code == .limitReached)
    }
}
