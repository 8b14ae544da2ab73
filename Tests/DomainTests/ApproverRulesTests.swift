import Domain
import Testing

/// Who may approve what the gate has blocked.
@Suite struct ApproverRulesTests {
    private var scenario = Scenario()
    private let starter: Actor
    private let run: RunID

    init() throws {
        var scenario = Scenario()
        starter = try scenario.approver("starter", [])
        scenario.actor = starter
        run = try scenario.createRun()
        self.scenario = scenario
    }

    private mutating func block(_ groups: [String], every: Bool = false, in other: RunID? = nil) throws -> ActionID {
        let id: ActionID = scenario.newID()
        let call = ToolCall(
            id: scenario.newID(), toolID: "bank", capability: nil, method: "POST", url: "https://bank/",
            payloadHash: PayloadHash("sha256:1"), fingerprint: UUIDValue(high: 0, low: 1), isRepeatable: false)
        let block = BlockToolCall(
            actionID: id, requestID: scenario.newID(), reason: "", headers: JSONText(verified: "{}"), payload: nil)
        try scenario.when(
            .beginToolCall(
                run: other ?? run,
                BeginToolCall(
                    call: call, agentID: "payments", tool: .example,
                    requirement: RequiredApproval(name: "", groups: groups, needsEveryGroup: every, duration: nil),
                    block: block)))
        return id
    }

    private mutating func approve(_ action: ActionID, as actor: Actor, in other: RunID? = nil) -> Rejection? {
        scenario.actor = actor
        return scenario.rejection(
            .approveAction(run: other ?? run, action: action, payloadHash: PayloadHash("sha256:1"), reason: nil))
    }

    private func status(_ action: ActionID) -> ActionStatus? { scenario.state.runs[run]?.action(action)?.status }

    @Test mutating func whoeverStartedTheRunMayNotApproveItsCalls() throws {
        let action = try block([])
        #expect(approve(action, as: starter)?.code == .selfApproval)
        let named = try scenario.approver("alice", [])
        #expect(approve(action, as: named)?.code == .selfApproval, "the run is alice's")
        #expect(status(action) == .blocked)
        scenario.settings.allowsSelfApproval = true
        #expect(approve(action, as: starter) == nil)
        #expect(status(action) == .approved)
    }

    @Test mutating func aMemberOfOneOfTheGroupsIsEnoughForAny() throws {
        let action = try block(["finance", "risk"])
        let (outsider, member) = (
            try scenario.approver("o", ["sales"]), try scenario.approver("m", ["risk", "sales"])
        )
        #expect(approve(action, as: outsider)?.code == .notAnApprover)
        #expect(approve(action, as: member) == nil)
        #expect(status(action) == .approved)
    }

    @Test(arguments: [[], ["risk"], ["FINANCE"]]) mutating func aKeyForGroupsOnlyDecidesOnNoOtherRequests(
        of groups: [String]
    ) throws {
        let action = try block(groups)
        let member = try scenario.approver("m", ["finance"], onlyGroups: true)
        #expect(approve(action, as: member)?.code == .notAnApprover)
        let reject = Command.rejectAction(run: run, action: action, reason: nil)
        #expect(scenario.rejection(reject)?.code == .notAnApprover)
        #expect(status(action) == .blocked)
        if groups.isEmpty {
            let ordinary = try scenario.approver("o", ["finance"])
            #expect(approve(action, as: ordinary) == nil)
        }
    }

    @Test mutating func aKeyForGroupsOnlyApprovesRequestsOfItsGroups() throws {
        let action = try block(["finance", "risk"])
        let member = try scenario.approver("m", ["finance"], onlyGroups: true)
        #expect(approve(action, as: member) == nil)
        #expect(status(action) == .approved)
    }

    @Test mutating func aKeyForGroupsOnlyNeedsGroups() {
        let created = APIKeyCreated(
            name: "m", role: .approver, digest: "m", prefix: "ra_ws_", last4: "1234", expiresAt: nil, onlyGroups: true)
        let id: APIKeyID = scenario.newID()
        #expect(scenario.rejection(.createAPIKey(id: id, created))?.code == .invalidArgument)
    }

    @Test mutating func namesOfGroupsAreComparedByteForByte() throws {
        let action = try block(["KYC"])
        // A Kelvin sign is a letter K to `==`.
        #expect("\u{212A}YC" == "KYC")
        #expect(approve(action, as: try scenario.approver("k", ["\u{212A}YC"]))?.code == .notAnApprover)
        #expect(approve(action, as: try scenario.approver("m", ["KYC"])) == nil)
    }

    @Test mutating func everyGroupHasToApproveForAllAndTheRunWaitsUntilThen() throws {
        let action = try block(["finance", "risk"], every: true)
        let (first, second) = (try scenario.approver("f", ["finance"]), try scenario.approver("r", ["risk"]))
        #expect(approve(action, as: first) == nil)
        #expect(approve(action, as: first) == nil, "again changes nothing")
        #expect(status(action) == .blocked && scenario.state.runs[run]?.status == .pausedApproval)
        #expect(approve(action, as: second) == nil)
        #expect(status(action) == .approved && scenario.state.runs[run]?.status == .running)
        let votes = scenario.history.count { if case .actionVoted = $0.payload { true } else { false } }
        #expect(votes == 1)
    }

    private static func person(_ name: String, subject: String? = nil) -> Actor {
        Actor(kind: .person(Person(provider: "corp", subject: subject ?? name)), name: name)
    }

    private mutating func approve(_ action: ActionID, asPerson actor: Actor, of groups: [String]) -> Rejection? {
        scenario.actorGroups = groups
        return approve(action, as: actor)
    }

    @Test mutating func aPersonIsInTheGroupsOfTheirTokenAlone() throws {
        let action = try block(["finance", "risk"])
        let person = Self.person("bob")
        for groups in [[], ["sales"], ["Finance"]] {
            let rejection = approve(action, asPerson: person, of: groups)
            #expect(rejection?.code == .notAnApprover && rejection?.message.contains("bob") == true)
        }
        #expect(status(action) == .blocked)
        #expect(approve(action, asPerson: person, of: ["sales", "risk"]) == nil)
        #expect(status(action) == .approved)
    }

    @Test mutating func severalPeopleMakeUpForEveryGroup() throws {
        let action = try block(["finance", "risk"], every: true)
        #expect(approve(action, asPerson: Self.person("bob"), of: ["finance"]) == nil)
        #expect(status(action) == .blocked)
        #expect(approve(action, asPerson: Self.person("carol"), of: ["risk"]) == nil)
        #expect(status(action) == .approved)
    }

    @Test(arguments: ["alice", "Alice", "ALICE"])
    mutating func aPersonDoesNotApproveWhatTheyAskedFor(name: String) throws {
        let action = try block([])
        #expect(approve(action, asPerson: Self.person(name), of: ["finance"])?.code == .selfApproval)
        scenario.settings.allowsSelfApproval = true
        #expect(approve(action, asPerson: Self.person(name), of: []) == nil)
    }

    @Test mutating func aPersonWhoStartedARunDoesNotApproveItsCallsUnderAnotherNameEither() throws {
        scenario.actor = Self.person("bob", subject: "7")
        let own = try scenario.createRun()
        #expect(scenario.state.runs[own]?.creator?.kind == .person(Person(provider: "corp", subject: "7")))
        let action = try block([], in: own)
        #expect(approve(action, as: Self.person("robert", subject: "7"), in: own)?.code == .selfApproval)
        #expect(approve(action, as: Self.person("bob", subject: "8"), in: own) == nil, "somebody else of that name")
    }

    @Test mutating func aPersonDoesNotApproveTheirOwnRequestWithoutAGateEither() throws {
        let (action, request): (ActionID, AccessRequestID) = (try scenario.block(run, hash: nil), scenario.newID())
        scenario.actor = Self.person("Alice")
        let approve = Command.approveAction(run: run, action: action, payloadHash: nil, reason: nil)
        #expect(scenario.rejection(approve)?.code == .selfApproval)
        let access = RequestAccess(
            requestID: request, subject: "alice", toolID: "bank", agentID: "payments", duration: nil, runID: nil,
            actionID: scenario.newID(), capability: nil, payloadHash: nil, method: nil, url: nil)
        try scenario.when(.requestAccess(access))
        let grant = Command.approveAccess(
            ApproveAccess(
                requestID: request, scope: .agentUserTTL, duration: nil, reason: nil, payloadHash: nil))
        #expect(scenario.rejection(grant)?.code == .selfApproval)
        scenario.actor = Self.person("bob")
        #expect(scenario.rejection(grant) == nil && scenario.rejection(approve) == nil)
        #expect(status(action) == .approved && scenario.state.accessRequests[request]?.isPending == false)
    }

    @Test mutating func aRevokedKeyIsInNoGroup() throws {
        let action = try block(["finance"])
        let member = try scenario.approver("f", ["finance"])
        guard case .apiKey(let id) = member.kind else { return }
        try scenario.when(.revokeAPIKey(id: id))
        #expect(approve(action, as: member)?.code == .notAnApprover)
    }
}
