import Domain
import Testing

/// Where a policy wants approvals signed, and what is signed.
@Suite struct SignatureRulesTests {
    private var scenario = Scenario()
    private let run: RunID
    private let signature = DecisionSignature(principal: "m", bytes: [1, 2, 3], grant: nil)

    init() throws {
        var scenario = Scenario()
        scenario.actor = try scenario.approver("starter", [])
        run = try scenario.createRun()
        self.scenario = scenario
    }

    private mutating func begin(_ requirement: RequiredApproval, body: UInt64 = 1) throws -> [EventPayload] {
        let call = ToolCall(
            id: scenario.newID(), toolID: "bank", capability: nil, method: "POST", url: "https://bank/",
            payloadHash: PayloadHash("sha256:\(body)"), fingerprint: UUIDValue(high: 0, low: body), isRepeatable: false)
        let block = BlockToolCall(
            actionID: scenario.newID(), requestID: scenario.newID(), reason: "", headers: JSONText(verified: "{}"),
            payload: nil)
        let before = scenario.history.count
        try scenario.when(
            .beginToolCall(
                run: run,
                BeginToolCall(call: call, agentID: "payments", tool: .example, requirement: requirement, block: block)))
        return scenario.history[before...].map(\.payload)
    }

    private mutating func block(_ groups: [String] = [], every: Bool = false) throws -> ActionBlocked {
        let events = try begin(
            RequiredApproval(name: "", groups: groups, needsEveryGroup: every, duration: nil, needsSignature: true))
        let blocked = events.compactMap { if case .actionBlocked(let blocked) = $0 { blocked } else { nil } }
        return try #require(blocked.first)
    }

    private mutating func approve(_ blocked: ActionBlocked, _ signature: DecisionSignature?) -> Rejection? {
        scenario.rejection(
            .approveAction(
                run: run, action: blocked.actionID, payloadHash: blocked.payloadHash, reason: nil, signature: signature)
        )
    }

    private func status(_ blocked: ActionBlocked) -> ActionStatus? {
        scenario.state.runs[run]?.action(blocked.actionID)?.status
    }

    @Test mutating func anUnsignedApprovalIsRefusedAndToldHowToSign() throws {
        let blocked = try block()
        scenario.actor = try scenario.approver("m", [])
        let rejection = try #require(approve(blocked, nil))
        #expect(rejection.code == .signatureRequired && rejection.message.contains("ssh-keygen -Y sign"))
        let request = try #require(blocked.accessRequestID)
        let access = Command.approveAccess(
            ApproveAccess(requestID: request, scope: nil, duration: nil, reason: nil, payloadHash: nil))
        #expect(scenario.rejection(access)?.code == .signatureRequired)
        #expect(status(blocked) == .blocked)
        #expect(approve(blocked, signature) == nil)
        #expect(status(blocked) == .approved)
        let kept = scenario.history.compactMap {
            switch $0.payload {
            case .actionApproved(let approved): approved.signature
            case .accessApproved(let approved): approved.signature
            default: nil
            }
        }
        #expect(kept == [signature, signature], "the action's and the request's")
    }

    @Test mutating func everyVoteIsSigned() throws {
        let blocked = try block(["finance", "risk"], every: true)
        let (first, second) = (try scenario.approver("f", ["finance"]), try scenario.approver("r", ["risk"]))
        scenario.actor = first
        #expect(approve(blocked, nil)?.code == .signatureRequired)
        #expect(approve(blocked, signature) == nil)
        scenario.actor = second
        #expect(approve(blocked, nil)?.code == .signatureRequired)
        #expect(status(blocked) == .blocked)
        #expect(approve(blocked, signature) == nil)
        #expect(status(blocked) == .approved)
        guard
            case .actionVoted(let vote)? = scenario.history.map(\.payload).first(where: {
                if case .actionVoted = $0 { true } else { false }
            })
        else {
            Issue.record("nobody has voted")
            return
        }
        #expect(vote.signature == signature)
    }

    @Test mutating func rejectingNeedsNoSignature() throws {
        let blocked = try block()
        scenario.actor = try scenario.approver("m", [])
        #expect(scenario.rejection(.rejectAction(run: run, action: blocked.actionID, reason: nil)) == nil)
        #expect(status(blocked) == nil, "the run has failed")
    }

    @Test mutating func aGrantThatNobodySignedCoversNoCallThatNeedsASignature() throws {
        for (isSigned, covers) in [(false, false), (true, true)] {
            let asked = RequestAccess(
                requestID: scenario.newID(), subject: "alice", toolID: "bank", agentID: "payments", duration: nil,
                runID: nil, actionID: scenario.newID(), capability: nil, payloadHash: nil, method: "POST",
                url: "https://bank/", tool: .example)
            try scenario.when(.requestAccess(asked))
            scenario.actor = try scenario.approver("m-\(isSigned)", [])
            try scenario.when(
                .approveAccess(
                    ApproveAccess(
                        requestID: asked.requestID, scope: .agentUserTTL, duration: .seconds(600), reason: nil,
                        payloadHash: nil, signature: isSigned ? signature : nil)))
            let needing = RequiredApproval(
                name: "", groups: [], needsEveryGroup: false, duration: nil, needsSignature: true)
            let events = try begin(needing, body: isSigned ? 3 : 2)
            let started = events.contains { if case .toolCallStarted = $0 { true } else { false } }
            #expect(started == covers)
            if !started {
                guard
                    case .actionBlocked(let blocked)? = events.last(where: {
                        if case .actionBlocked = $0 { true } else { false }
                    })
                else { continue }
                #expect(approve(blocked, signature) == nil)
            }
        }
    }

    @Test(arguments: [
        (0, "m"), (DecisionSignature.bytesMax + 1, "m"), (3, ""), (3, "a\nb"), (3, String(repeating: "x", count: 2000)),
    ])
    mutating func signaturesAreBounded(count: Int, principal: String) throws {
        let blocked = try block()
        scenario.actor = try scenario.approver("m", [])
        let odd = DecisionSignature(principal: principal, bytes: [UInt8](repeating: 1, count: count), grant: nil)
        #expect(approve(blocked, odd)?.code == .invalidArgument)
    }

    @Test func aStatementSaysWhatIsDecidedALineEach() throws {
        let id = try #require(ActionID("01938f2a-7b5c-7002-9c4e-000000020002"))
        let blocked = ActionBlocked(
            actionID: id, toolID: "bank", capability: nil, payloadHash: PayloadHash("sha256:1"), method: "POST",
            url: "https://bank/\u{202e}x\\\ndecision: reject", accessRequestID: nil,
            expiresAt: Timestamp(microseconds: 0))
        let statement = DecisionStatement(blocked, of: run, in: .default)
        let beginning = """
            sluice-decision/1
            workspace: default
            run: \(run)
            action: \(id)
            tool: bank
            method: POST
            url: https://bank/\\u{202E}x\\u{5C}\\u{A}decision: reject
            payload-hash: sha256:1

            """
        #expect(statement.text(.reject, grant: nil, .first) == beginning + "decision: reject\n")
        let grant = SignedGrant(scope: .run, duration: .seconds(7200))
        let wide = beginning + "decision: approve\nscope: run\nduration: 2h\n"
        #expect(statement.text(.approve, grant: grant, .first) == wide)
        #expect(statement.text(.reject, grant: grant, .first) == beginning + "decision: reject\n")
    }

    /// An approver of a client's own request signs what it states and covers; a signature of the text before is kept.
    @Test(arguments: [
        (AccessScope?.none, true, "no call"), (.once, true, "no call"), (.run, true, "no call"),
        (.agentUserTTL, true, "every call in any run that has all of the above"), (.agentUserTTL, false, "no call"),
    ])
    func theStatementOfAClientsOwnRequestSaysWhatItCovers(scope: AccessScope?, hasAgent: Bool, covers: String) throws {
        let id = try #require(AccessRequestID("01938f2a-7b5c-7002-9c4e-000000020002"))
        let asked = AccessRequested(
            subject: "ali\u{3164}ce", toolID: "bank", agentID: hasAgent ? "payments" : nil, duration: .seconds(60),
            run: nil, capability: "POST /pay", payloadHash: nil, method: "POST", url: nil,
            expiresAt: Timestamp(microseconds: 0), tool: .example)
        let statement = DecisionStatement(asked, id, in: .default)
        let grant = scope.map { SignedGrant(scope: $0, duration: .seconds(60)) }
        let (agent, granted) = (
            hasAgent ? "agent: payments\n" : "", scope.map { "scope: \($0.rawValue)\nduration: 1m\n" } ?? ""
        )
        let text = statement.text(.approve, grant: grant)
        #expect(
            text == "sluice-decision/2\nworkspace: default\nrequest: \(id)\nsubject: ali\\u{3164}ce\n" + agent
                + "tool: bank\ntool-origin: https://bank\ncapability: POST /pay\nmethod: POST\ndecision: approve\n"
                + granted + "covers: \(covers)\n")
        #expect(!statement.text(.reject, grant: nil).contains("covers"))
        #expect(
            statement.text(.approve, grant: grant, .first) == "sluice-decision/1\nworkspace: default\nrequest: \(id)\n"
                + "subject: ali\u{3164}ce\n" + agent + "tool: bank\nmethod: POST\ndecision: approve\n" + granted)
        #expect(statement.versions == [.second, .first])
    }

    @Test func aRequestOfARunIsTheSameStatementAsItsAction() throws {
        let id = try #require(ActionID("01938f2a-7b5c-7002-9c4e-000000020002"))
        let request = AccessRequestID(id.value)
        func asked(_ target: AccessRequestTarget?) -> AccessRequested {
            AccessRequested(
                subject: "alice", toolID: "bank", agentID: "payments", duration: .seconds(60), run: target,
                capability: nil,
                payloadHash: nil, method: nil, url: nil, expiresAt: Timestamp(microseconds: 0))
        }
        let blocked = ActionBlocked(
            actionID: id, toolID: "bank", capability: nil, payloadHash: nil, method: nil, url: nil,
            accessRequestID: request, expiresAt: Timestamp(microseconds: 0))
        let target = AccessRequestTarget(runID: run, actionID: id)
        #expect(
            DecisionStatement(asked(target), request, in: .default) == DecisionStatement(blocked, of: run, in: .default)
        )
        let own = DecisionStatement(asked(nil), request, in: .default).text(.approve, grant: nil)
        #expect(own.contains("request: \(id)\nsubject: alice\nagent: payments\n"))
    }
}
