import Domain
import Testing

/// Grants and keys are for the agent that existed when they were given: one of the same name has no part in them.
@Suite struct AgentBindingTests {
    private typealias Gate = GateScenario

    @Test(arguments: [true, false]) func aGrantIsForTheAgentThatItWasGivenFor(isDeleted: Bool) throws {
        var gate = try Gate()
        let grant = try gate.grant(Gate.plain, .agentUserTTL)
        if isDeleted { try gate.scenario.when(.deleteResource(kind: .agent, name: "payments")) }
        try gate.scenario.deploy()
        try gate.startRun(as: gate.starter)
        let outcome = try gate.begin(gate.call(body: gate.newBody()), Gate.plain)
        #expect(outcome == (isDeleted ? .blocked : .started(nil, grant)))
    }

    @Test(arguments: [true, false]) func aGrantOnAClientsRequestIsForTheAgentOfThatTime(isDeleted: Bool) throws {
        var gate = try Gate()
        let request = try gate.ask(method: "POST", url: "https://bank/pay")
        if isDeleted { try gate.scenario.when(.deleteResource(kind: .agent, name: "payments")) }
        try gate.scenario.deploy()
        #expect(gate.approve(request, as: try gate.member(""), .agentUserTTL) == nil)
        try gate.startRun(as: gate.starter)
        let outcome = try gate.begin(gate.call(body: gate.newBody()), Gate.plain)
        #expect(outcome == (isDeleted ? .blocked : .started(nil, request)))
    }

    @Test func theNextAgentsRequestIsOneOfItsOwn() throws {
        var gate = try Gate()
        let first = try gate.ask()
        try gate.scenario.when(.deleteResource(kind: .agent, name: "payments"))
        try gate.scenario.deploy()
        let second = try gate.ask()
        #expect(Set(gate.scenario.state.accessRequests.keys) == [first, second])
    }

    @Test(arguments: [AccessScope.run, .agentUserTTL])
    func aGrantThatNamesNoAgentCoversNothing(scope: AccessScope) throws {
        var gate = try Gate()
        _ = try gate.grant(Gate.plain, scope)
        gate.scenario.refold { payload in
            guard case .accessRequested(let asked) = payload else { return payload }
            return .accessRequested(
                AccessRequested(
                    subject: asked.subject, toolID: asked.toolID, agentID: asked.agentID, duration: asked.duration,
                    run: asked.run, capability: asked.capability, payloadHash: asked.payloadHash,
                    headersHash: asked.headersHash, method: asked.method, url: asked.url, expiresAt: asked.expiresAt,
                    isForOneCall: asked.isForOneCall, tool: asked.tool))
        }
        #expect(try gate.begin(gate.call(body: gate.newBody()), Gate.plain) == .blocked)
    }

    @Test func theKeysOfAnAgentEndWithIt() throws {
        var scenario = Scenario()
        try scenario.deploy()
        func key(_ name: String, _ role: Role, _ agent: String?) throws -> APIKeyID {
            let id: APIKeyID = scenario.newID()
            try scenario.when(
                .createAPIKey(
                    id: id,
                    APIKeyCreated(
                        name: name, role: role, digest: name, prefix: "ra_ws_", last4: "1234", expiresAt: nil,
                        agent: agent)))
            return id
        }
        let bound = [try key("a", .agent, "payments"), try key("b", .agent, "payments")]
        let others = [try key("c", .agent, "payments2"), try key("d", .agent, nil), try key("e", .admin, nil)]
        scenario.workspace = try #require(WorkspaceName("other"))
        let elsewhere = try key("f", .agent, "payments")
        scenario.workspace = .default
        try scenario.when(.deleteResource(kind: .agent, name: "payments"))
        #expect(Set(scenario.state.apiKeys.keys) == Set(others + [elsewhere]))
        #expect(bound.allSatisfy { scenario.rejection(.revokeAPIKey(id: $0))?.code == .apiKeyNotFound })
        let revoked = scenario.history.filter { if case .apiKeyRevoked = $0.payload { true } else { false } }
        #expect(revoked.map { APIKeyID($0.stream.id) } == bound && revoked.allSatisfy { $0.streamSequence == 2 })
    }
}
