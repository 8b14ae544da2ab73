import Domain
import Testing

/// Four eyes are two persons: by whatever identity provider either of them signs in.
@Suite struct SelfApprovalTests {
    private typealias Gate = GateScenario

    private static func person(_ provider: String, _ subject: String, _ name: String, _ address: String? = nil) -> Actor
    {
        Actor(kind: .person(Person(provider: provider, subject: subject, address: address)), name: name)
    }

    private static let creator = person("staff", "s-1", "ada", "ada@corp.test")

    @Test(
        arguments: [
            (person("staff", "s-1", "other name"), true), (person("approvers", "s-1", "ada@corp.test"), true),
            (person("approvers", "a-9", "Ada"), true), (person("approvers", "a-9", "a9", "ADA@Corp.Test"), true),
            (person("approvers", "a-9", " ada@corp.test "), true), (person("approvers", "ada@corp.test", "a9"), true),
            (person("staff", "s-2", "bob", "Ada@corp.test"), true),
            (person("staff", "s-2", "ada", "bob@corp.test"), false),
            (person("approvers", "a-7", "bob", "bob@corp.test"), false),
            (Actor(kind: .apiKey(APIKeyID(UUIDValue(high: 1, low: 1))), name: "ADA@corp.test"), true),
            (Actor(kind: .apiKey(APIKeyID(UUIDValue(high: 1, low: 1))), name: "bob"), false),
        ] as [(Actor, Bool)])
    func whoeverCreatedARunApprovesNoneOfItsCallsUnderAnotherIdentity(approver: Actor, isSame: Bool) throws {
        var gate = try Gate()
        try gate.startRun(as: Self.creator, user: "somebody")
        let blocked = try gate.blocked(gate.call(body: 1), Gate.plain)
        gate.scenario.actor = approver
        let approve = Command.approveAction(
            run: gate.run, action: blocked.actionID, payloadHash: blocked.payloadHash, reason: nil)
        #expect(gate.scenario.rejection(approve)?.code == (isSame ? .selfApproval : nil))
    }

    @Test(arguments: [(UInt64(1), "another name", true), (2, "deployer", false)])
    func keysAreComparedByTheirIDAndNotByTheirName(id: UInt64, name: String, isSame: Bool) throws {
        func key(_ id: UInt64, _ name: String) -> Actor {
            Actor(kind: .apiKey(APIKeyID(UUIDValue(high: 1, low: id))), name: name)
        }
        var gate = try Gate()
        try gate.startRun(as: key(1, "deployer"), user: "somebody")
        let blocked = try gate.blocked(gate.call(body: 1), Gate.plain)
        let request = try #require(blocked.accessRequestID)
        #expect(gate.approve(request, as: key(id, name), .run)?.code == (isSame ? .selfApproval : nil))
    }

    @Test(
        arguments: [
            (person("approvers", "a-9", "carol@corp.test"), true), (person("approvers", "u-1", "c9"), true),
            (person("approvers", "a-9", "c9", "Carol@Corp.Test"), true), (person("people", "u-2", "carol"), true),
            (person("approvers", "a-9", "dan", "dan@corp.test"), false),
        ] as [(Actor, Bool)])
    func theUserOfARunApprovesNoneOfItsCallsUnderAnotherIdentity(approver: Actor, isSame: Bool) throws {
        // A key acts for the person whom a token proves.
        var gate = try Gate()
        try gate.startRun(
            as: gate.starter, user: "carol",
            proven: Person(provider: "people", subject: "u-1", address: "carol@corp.test"))
        let blocked = try gate.blocked(gate.call(body: 1), Gate.plain)
        let request = try #require(blocked.accessRequestID)
        let rejection = gate.approve(request, as: approver, .run)
        #expect(rejection?.code == (isSame ? .selfApproval : nil))
        guard isSame else { return }
        gate.scenario.settings.allowsSelfApproval = true
        #expect(gate.approve(request, as: approver, .run) == nil)
    }

    @Test(
        arguments: [
            (person("approvers", "s-1", "x"), true), (person("approvers", "a-9", "x", "ada@corp.test"), true),
            (person("approvers", "a-9", "Alice"), true), (person("approvers", "a-9", "bob"), false),
        ] as [(Actor, Bool)])
    func aRequestIsApprovedNeitherByItsRequesterNorByItsSubject(approver: Actor, isSame: Bool) throws {
        var gate = try Gate()
        gate.scenario.actor = Self.creator
        let request = try gate.ask()
        #expect(gate.approve(request, as: approver, .agentUserTTL)?.code == (isSame ? .selfApproval : nil))
    }

    @Test func aGrantIsOfNoUseInARunThatItsApproverCreatedUnderAnotherIdentity() throws {
        var gate = try Gate()
        let approver = Self.person("approvers", "s-1", "ada-the-approver", "ada@corp.test")
        let call = gate.call(body: 1)
        let request = try #require(try gate.blocked(call, Gate.plain).accessRequestID)
        #expect(gate.approve(request, as: approver, .agentUserTTL) == nil)
        try gate.startRun(as: gate.starter)
        #expect(try gate.begin(gate.call(body: 2), Gate.plain) == .started(nil, request))
        try gate.startRun(as: Self.creator)
        #expect(try gate.begin(gate.call(body: 2), Gate.plain) == .blocked)
    }

    @Test func anEarlierVoterCountsLikeTheLastApprover() throws {
        var gate = try Gate()
        let both = Gate.requirement(["f", "r"], every: true)
        let request = try #require(try gate.blocked(gate.call(body: 1), both).accessRequestID)
        let voter = try gate.member("f")
        #expect(gate.approve(request, as: voter, .agentUserTTL) == nil)
        #expect(gate.approve(request, as: try gate.member("r"), .agentUserTTL) == nil)
        try gate.startRun(as: voter)
        #expect(try gate.begin(gate.call(body: 2), both) == .blocked)
    }
}

/// What is kept of approvers, to compare them, does not outlast their erasure.
@Suite struct ApproverErasureTests {
    private typealias Gate = GateScenario

    private static let bob = Actor(kind: .person(Person(provider: "corp", subject: "7")), name: "bob@corp.test")

    private func erase(_ gate: inout Gate) -> Rejection? {
        gate.scenario.actor = Actor(kind: .system, name: "tester")
        return gate.scenario.rejection(
            .erasePerson(gate.scenario.newID(), PersonErasureRequested(userID: Self.bob.name)))
    }

    @Test func theGrantsAndRequestsOfAnErasedPersonEnd() throws {
        var gate = try Gate()
        let granted = try gate.ask()
        #expect(gate.approve(granted, as: Self.bob, .agentUserTTL) == nil)
        gate.scenario.actor = Self.bob
        let asked = try gate.ask()
        #expect(erase(&gate) == nil)
        #expect(gate.scenario.state.accessRequests[granted] == nil && gate.scenario.state.accessRequests[asked] == nil)
    }

    @Test func aPersonIsNotErasedWhileTheirVoteCounts() throws {
        var gate = try Gate()
        let both = Gate.requirement(["f", "r"], every: true)
        let request = try #require(try gate.blocked(gate.call(body: 1), both).accessRequestID)
        gate.scenario.actorGroups = ["f"]
        #expect(gate.approve(request, as: Self.bob, .once) == nil)
        #expect(erase(&gate)?.code == .personActive)
        #expect(gate.scenario.rejection(.failRun(run: gate.run, reason: "cancelled")) == nil)
        #expect(erase(&gate) == nil)
    }
}
