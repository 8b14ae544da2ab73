import Domain
import Testing

struct APIKeyRulesTests {
    private static let end = Duration.seconds(86_400)

    private func create(
        _ scenario: inout Scenario, _ role: Role = .admin, name: String = "key", for lifetime: Duration? = nil
    ) throws -> APIKeyID {
        let id: APIKeyID = scenario.newID()
        try scenario.when(
            .createAPIKey(
                id: id,
                APIKeyCreated(
                    name: name, role: role, digest: "digest of \(id)", prefix: "ra_ws_", last4: "1234",
                    expiresAt: lifetime.map { scenario.now.adding($0) })))
        return id
    }

    private func rotate(
        _ id: APIKeyID, digest: String = "another", for lifetime: Duration? = nil, grace: Duration = .zero
    ) -> Command {
        .rotateAPIKey(
            id: id,
            RotateAPIKey(digest: digest, prefix: "ra_ws_", last4: "5678", lifetime: lifetime, grace: grace))
    }

    @Test func rotatingKeepsTheEndUnlessAnotherIsGiven() throws {
        var scenario = Scenario()
        let id = try create(&scenario, .viewer, for: Self.end)
        let expiresAt = scenario.now.adding(Self.end)
        try scenario.when(rotate(id, digest: "one"))
        #expect(scenario.state.apiKeys[id]?.expiresAt == expiresAt)
        scenario.advance(.seconds(10))
        let events = try scenario.when(rotate(id, digest: "two", for: .seconds(60)))
        #expect(scenario.state.apiKeys[id]?.expiresAt == scenario.now.adding(.seconds(60)))
        #expect(events.map(\.streamSequence) == [3])
    }

    @Test func theGraceEndsWithTheKeyItself() throws {
        var scenario = Scenario()
        let id = try create(&scenario, .viewer, for: .seconds(60))
        let end = scenario.now.adding(.seconds(60))
        let events = try scenario.when(rotate(id, for: Self.end, grace: .seconds(3600)))
        guard case .apiKeyRotated(let rotated)? = events.first?.payload else {
            Issue.record("no rotation")
            return
        }
        #expect(rotated.previousUntil == end)
        #expect(rotated.expiresAt == scenario.now.adding(Self.end))
    }

    @Test func anExpiredKeyAndAnotherWorkspacesAreNotRotated() throws {
        var scenario = Scenario()
        let id = try create(&scenario, .viewer, for: .seconds(60))
        scenario.workspace = try #require(WorkspaceName("other"))
        #expect(scenario.rejection(rotate(id))?.code == .apiKeyNotFound)
        scenario.workspace = .default
        scenario.advance(.seconds(60))
        #expect(scenario.rejection(rotate(id))?.code == .apiKeyNotFound)
    }

    @Test func aKeyThatExpiredLongAgoIsNotRotated() throws {
        var scenario = Scenario()
        let id = try create(&scenario, .viewer, for: .seconds(60))
        scenario.advance(Self.end)
        #expect(scenario.rejection(rotate(id))?.code == .apiKeyNotFound)
    }

    @Test func withoutAGracePeriodTheReplacedKeyEndsAtOnce() throws {
        var scenario = Scenario()
        let id = try create(&scenario, .viewer)
        let events = try scenario.when(rotate(id))
        guard case .apiKeyRotated(let rotated)? = events.first?.payload else {
            Issue.record("no rotation")
            return
        }
        #expect(rotated.previousUntil == nil)
    }

    @Test(arguments: Role.allCases)
    func onlyAnAgentsKeyIsBoundToAnAgent(role: Role) {
        var scenario = Scenario()
        let created = APIKeyCreated(
            name: "key", role: role, digest: "digest", prefix: "ra_ws_", last4: "1234", expiresAt: nil,
            agent: "payments")
        let rejection = scenario.rejection(.createAPIKey(id: scenario.newID(), created))
        #expect(rejection?.code == (role == .agent ? nil : .invalidArgument))
    }

    @Test func aDigestIsOneKeysAlone() throws {
        var scenario = Scenario()
        let (first, second) = (try create(&scenario, .viewer), try create(&scenario, .viewer))
        #expect(scenario.rejection(rotate(first, digest: "digest of \(second)"))?.code == .apiKeyExists)
        #expect(scenario.rejection(rotate(first, digest: "digest of \(first)"))?.code == .apiKeyExists)
    }

    @Test func theConfiguredKeyIsChangedWhereItIsConfigured() throws {
        var scenario = Scenario()
        let id = try create(&scenario, name: APIKeyState.configuredName)
        #expect(scenario.rejection(rotate(id))?.code == .apiKeyConfigured)
    }

    @Test func theLastLastingAdminOfTheDefaultWorkspaceStays() throws {
        var scenario = Scenario()
        let last = try create(&scenario)
        _ = try create(&scenario, .operator)
        _ = try create(&scenario, for: Self.end)
        scenario.workspace = try #require(WorkspaceName("other"))
        let elsewhere = try create(&scenario)
        try scenario.when(.revokeAPIKey(id: elsewhere))
        _ = try create(&scenario)
        scenario.workspace = .default
        #expect(scenario.rejection(.revokeAPIKey(id: last))?.code == .lastAdminKey)
        #expect(scenario.rejection(rotate(last, for: Self.end))?.code == .lastAdminKey)
        try scenario.when(rotate(last))
        _ = try create(&scenario)
        try scenario.when(.revokeAPIKey(id: last))
    }

    @Test func whereNoAdminLastsOneThatIsGoodNowHasToDo() throws {
        var scenario = Scenario()
        let first = try create(&scenario, for: Self.end)
        #expect(scenario.rejection(.revokeAPIKey(id: first))?.code == .lastAdminKey)
        let short = try create(&scenario, for: .seconds(60))
        try scenario.when(.revokeAPIKey(id: first))
        #expect(scenario.rejection(.revokeAPIKey(id: short))?.code == .lastAdminKey)
    }
}
