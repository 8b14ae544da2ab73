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
        method: String? = "POST", url: String? = "https://bank.test/pay", identity: ToolIdentity? = .example
    ) throws -> RequestAccess {
        let asked = RequestAccess(
            requestID: scenario.newID(), subject: "alice", toolID: tool, agentID: "payments", duration: .seconds(60),
            runID: run, actionID: scenario.newID(), capability: capability, payloadHash: hash, method: method, url: url,
            tool: identity)
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

    @Test mutating func coversNothingWhenItDoesNotSayWhichTool() throws {
        let (asked, run) = (try ask(identity: nil), try run())
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

    private static let url = "https://bank.test/pay"

    @Test(
        arguments: [
            ("pay", nil, nil, nil, true), ("pay", "POST", url, nil, true), ("read", nil, nil, nil, false),
            ("pay", "GET", nil, nil, false), ("pay", nil, "https://bank.test/harmless", nil, false),
            ("pay", nil, nil, "sha256:1", true), ("pay", nil, nil, "sha256:2", false),
            (nil, "POST", url, nil, true), (nil, "GET", url, nil, false),
            (nil, "POST", "https://bank.test/", nil, false),
            (nil, "POST", url, "sha256:2", false), (nil, nil, nil, nil, false), (nil, "POST", nil, nil, false),
            (nil, nil, url, nil, false), (nil, nil, nil, "sha256:1", false),
        ] as [(String?, String?, String?, String?, Bool)], [AccessScope.run, .agentUserTTL])
    mutating func coversNoMoreThanAClientToldItsApprover(
        stated: (capability: String?, method: String?, url: String?, hash: String?, isCovered: Bool), scope: AccessScope
    ) throws {
        let run = try run()
        let asked = try ask(
            run: run, hash: stated.hash.map(PayloadHash.init), capability: stated.capability, method: stated.method,
            url: stated.url)
        try scenario.when(approval(asked, scope))
        #expect((grant(of: run, capability: "pay") == asked.requestID) == stated.isCovered)
    }

    @Test func itsWordsSayWhatItCovers() {
        func words(_ scope: AccessScope?, _ capability: String?, agent: String? = "a", run: RunID? = nil) -> String {
            let coverage = GrantCoverage(
                subject: "ada\", x", agent: agent, tool: "bank", run: run, stated: (capability, nil, nil, nil))
            return scope.map { coverage.sentence($0, until: "noon") } ?? coverage.pendingSentence
        }
        let calls = #"every call of capability "pay" of tool "bank", for agent "a" and user "ada\", x","#
        for scope in [AccessScope.agentUserTTL, nil] { #expect(words(scope, "pay").contains(calls)) }
        #expect(words(.agentUserTTL, "pay").hasSuffix("in any run, until noon"))
        for scope in AccessScope.allCases {
            #expect(words(scope, nil).hasPrefix("no call"))
            #expect(words(scope, "pay", agent: nil).hasPrefix("no call"))
        }
        for scope in [AccessScope.once, .run] { #expect(words(scope, "pay").hasPrefix("no call")) }
        #expect(words(nil, nil).hasPrefix("no call"))
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
