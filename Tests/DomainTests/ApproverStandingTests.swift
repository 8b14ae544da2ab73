import Domain
import Testing

/// Votes, approvals and grants of a key count until it is revoked.
@Suite struct ApproverStandingTests {
    private typealias Gate = GateScenario

    private static let both = Gate.requirement(["f", "r"], every: true)

    private func revoke(_ actor: Actor, _ gate: inout Gate) throws {
        guard case .apiKey(let id) = actor.kind else { return }
        gate.scenario.actor = gate.starter
        try gate.scenario.when(.revokeAPIKey(id: id))
    }

    private func rotate(_ actor: Actor, _ gate: inout Gate) throws {
        guard case .apiKey(let id) = actor.kind else { return }
        gate.scenario.actor = gate.starter
        let rotate = RotateAPIKey(digest: "next", prefix: "ra_ws_", last4: "4321", lifetime: nil, grace: .zero)
        try gate.scenario.when(.rotateAPIKey(id: id, rotate))
    }

    @Test func aVoteOfARevokedKeyIsDropped() throws {
        var gate = try Gate()
        let blocked = try gate.blocked(gate.call(body: 1), Self.both)
        let request = try #require(blocked.accessRequestID)
        let voter = try gate.member("f")
        #expect(gate.approve(request, as: voter, nil) == nil)
        try revoke(voter, &gate)
        let votes = gate.scenario.state.votes(on: blocked.actionID, in: gate.run)
        #expect(votes.map(\.vote.approver) == [voter] && votes.first?.lostStanding?.contains("revoked") == true)
        #expect(gate.approve(request, as: try gate.member("r"), nil) == nil)
        #expect(gate.scenario.state.accessRequests[request]?.isPending == true)
        let other = try gate.scenario.approver("another of f", ["f"])
        #expect(gate.approve(request, as: other, nil) == nil)
        #expect(gate.scenario.state.accessRequests[request]?.isPending == false)
        let approvers = gate.scenario.state.accessRequests[request]?.grant?.approvers
        #expect(approvers == [try gate.member("r"), other], "the grant is not that of the revoked key")
    }

    @Test func aVoteOfARotatedKeyCounts() throws {
        var gate = try Gate()
        let request = try #require(try gate.blocked(gate.call(body: 1), Self.both).accessRequestID)
        let voter = try gate.member("f")
        #expect(gate.approve(request, as: voter, nil) == nil)
        try rotate(voter, &gate)
        #expect(gate.approve(request, as: try gate.member("r"), nil) == nil)
        #expect(gate.scenario.state.accessRequests[request]?.isPending == false)
    }

    @Test(arguments: [AccessScope.run, .agentUserTTL], ["f", "r"])
    func aGrantOfARevokedKeyCoversNothingAndEnds(scope: AccessScope, group: String) throws {
        var gate = try Gate()
        let grant = try gate.grant(Self.both, scope)
        try rotate(gate.member(group), &gate)
        #expect(try gate.begin(gate.call(body: gate.newBody()), Self.both) == .started(nil, grant))
        try gate.finish()
        #expect(gate.scenario.rejection(.expireAccess(request: grant))?.code == .invalidArgument)
        try revoke(gate.member(group), &gate)
        #expect(try gate.begin(gate.call(body: gate.newBody()), Self.both) == .blocked)
        let events = try gate.scenario.when(.expireAccess(request: grant))
        guard case .accessExpired(let expired)? = events.first?.payload else {
            Issue.record("the grant did not end")
            return
        }
        #expect(expired.reason?.contains("revoked") == true)
        #expect(gate.scenario.state.accessRequests[grant] == nil)
    }

    @Test func anApprovalOfARevokedKeyLetsNoCallThrough() throws {
        for revokesLast in [true, false] {
            var gate = try Gate()
            let call = gate.call(body: 1)
            let blocked = try gate.blocked(call, Self.both)
            let request = try #require(blocked.accessRequestID)
            for group in ["f", "r"] { #expect(gate.approve(request, as: try gate.member(group), nil) == nil) }
            try revoke(gate.member(revokesLast ? "r" : "f"), &gate)
            #expect(try gate.begin(call, Self.both) == .blocked)
            let action = gate.scenario.state.runs[gate.run]?.action(blocked.actionID)
            #expect(action?.status == .failed, "its readers see that it was of no use")
        }
    }

    @Test func aGrantOnARequestOfAClientEndsWithItsApproversKey() throws {
        var gate = try Gate()
        let request = try gate.ask(method: "POST", url: "https://bank/pay")
        let approver = try gate.member("")
        #expect(gate.approve(request, as: approver, .agentUserTTL) == nil)
        #expect(try gate.begin(gate.call(body: 1), Gate.plain) == .started(nil, request))
        try gate.finish()
        try revoke(approver, &gate)
        #expect(try gate.begin(gate.call(body: 2), Gate.plain) == .blocked)
    }

    @Test func aPersonsDataIsNotErasedWhileTheirApprovalMayLetACallThrough() throws {
        var gate = try Gate()
        let person = Actor(kind: .person(Person(provider: "corp", subject: "7")), name: "bob")
        let call = gate.call(body: 1)
        let request = try #require(try gate.blocked(call, Gate.plain).accessRequestID)
        #expect(gate.approve(request, as: person, nil) == nil)
        let erase = Command.erasePerson(gate.scenario.newID(), PersonErasureRequested(userID: "bob"))
        gate.scenario.actor = gate.starter
        #expect(gate.scenario.rejection(erase)?.code == .personActive)
        guard case .started = try gate.begin(call, Gate.plain) else {
            Issue.record("the approved call did not start")
            return
        }
        try gate.finish()
        #expect(gate.scenario.rejection(erase) == nil)
    }
}
