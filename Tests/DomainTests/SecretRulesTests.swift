import Domain
import Testing

/// Secrets belong to a resource: they come with it, in the same command, and go with it.
@Suite struct SecretRulesTests {
    private func secret(_ scenario: inout Scenario, _ name: String = "api_key", bytes: Int = 92) -> StoreSecret {
        StoreSecret(
            name: name,
            sealed: SealedSecret(keyID: scenario.newID(), ciphertext: [UInt8](repeating: 7, count: bytes)),
            newID: scenario.newID())
    }

    @discardableResult
    private func storeTool(
        _ scenario: inout Scenario, _ secrets: [StoreSecret] = [], kept: Set<String>? = nil
    ) throws(Rejection) -> [EventPayload] {
        let item = StoreResources.Item(
            kind: .tool, name: "stripe", newID: scenario.newID(), document: JSONText(verified: "{}"), secrets: secrets,
            keptSecrets: kept)
        return try scenario.when(.storeResources(StoreResources(items: [item]))).map(\.payload)
    }

    private func names(_ scenario: Scenario) -> [String] {
        scenario.state.secrets.values.flatMap(\.keys).sorted()
    }

    @Test func aToolAndItsSecretsAreStoredTogetherOrNotAtAll() throws {
        var scenario = Scenario()
        scenario.settings.limits.secretsMax = 1
        let two = [secret(&scenario, "a"), secret(&scenario, "b")]
        #expect(throws: Rejection.self) { try storeTool(&scenario, two) }
        #expect(scenario.state.resources.isEmpty && scenario.state.secretCount == 0)
        #expect(try storeTool(&scenario, [two[0]]).map(\.typeName) == ["tool.registered", "secret.stored"])
        #expect(scenario.history.map(\.causation.index) == [0, 1])
    }

    @Test func storingASecretAgainNamesTheKeyThatNobodyNeedsAnyMore() throws {
        var scenario = Scenario()
        let (first, second) = (secret(&scenario), secret(&scenario))
        try storeTool(&scenario, [first])
        let again = try storeTool(&scenario, [second])
        #expect(again.last?.obsoleteKeyID == first.sealed.keyID)
        #expect(scenario.history.filter { $0.stream.kind == .secret }.map(\.streamSequence) == [1, 2])
        #expect(scenario.state.secretCount == 1)
    }

    /// G16: a consent comes from its user alone, and does not come back once it has ended.
    @Test func aConsentIsRenewedAndNeverPlanted() throws {
        var scenario = Scenario()
        try storeTool(&scenario, [secret(&scenario)])
        let (planted, renewed) = (secret(&scenario, "consent:ada"), secret(&scenario, "consent:ada"))
        func store(_ secret: StoreSecret, renewing key: DataKeyID?) -> Command {
            .storeSecrets(StoreSecrets(kind: .tool, owner: "stripe", secrets: [secret], renewedKeyID: key))
        }
        #expect(scenario.rejection(store(planted, renewing: nil))?.code == .invalidArgument)
        #expect(scenario.rejection(store(planted, renewing: scenario.newID()))?.code == .secretNotFound)
        let run = try scenario.createRun()
        let action: ActionID = scenario.newID()
        try scenario.when(
            .requireConsent(run: run, RequireConsent(actionID: action, toolID: "stripe", agentID: "payments")))
        try scenario.when(.giveConsent(run: run, GiveConsent(actionID: action, token: planted, scope: "")))
        #expect(scenario.rejection(store(renewed, renewing: nil))?.code == .invalidArgument)
        try scenario.when(store(renewed, renewing: planted.sealed.keyID))
        let late = store(secret(&scenario, "consent:ada"), renewing: planted.sealed.keyID)
        #expect(scenario.rejection(late)?.code == .secretNotFound)
        try scenario.when(.deleteSecret(DeleteSecret(kind: .tool, owner: "stripe", name: "consent:ada")))
        let ended = store(secret(&scenario, "consent:ada"), renewing: renewed.sealed.keyID)
        #expect(scenario.rejection(ended)?.code == .secretNotFound)
        #expect(names(scenario) == ["api_key"])
    }

    @Test func deletingAResourceDeletesItsSecretsInTheSameCommand() throws {
        var scenario = Scenario()
        let secrets = [secret(&scenario, "b"), secret(&scenario, "a")]
        try storeTool(&scenario, secrets)
        let events = try scenario.when(.deleteResource(kind: .tool, name: "stripe")).map(\.payload)
        #expect(events.map(\.typeName) == ["tool.deleted", "secret.deleted", "secret.deleted"])
        #expect(events.compactMap(\.obsoleteKeyID) == [secrets[1].sealed.keyID, secrets[0].sealed.keyID])
        #expect(scenario.state.secrets.isEmpty && scenario.state.secretCount == 0)
    }

    @Test func secretsThatAreNotKeptGoWithTheNextRevision() throws {
        var scenario = Scenario()
        try storeTool(&scenario, [secret(&scenario, "a"), secret(&scenario, "b"), secret(&scenario, "c")])
        try storeTool(&scenario)
        #expect(names(scenario) == ["a", "b", "c"])
        try storeTool(&scenario, [secret(&scenario, "b")], kept: ["a"])
        #expect(names(scenario) == ["a", "b"])
    }

    @Test func aSecretNeedsAnOwnerThatExists() throws {
        var scenario = Scenario()
        let stored = secret(&scenario)
        let store = Command.storeSecrets(StoreSecrets(kind: .tool, owner: "stripe", secrets: [stored]))
        #expect(scenario.rejection(store)?.message == "tool \"stripe\" not found")
        try storeTool(&scenario)
        scenario.workspace = try #require(WorkspaceName("other"))
        #expect(scenario.rejection(store)?.code == .resourceNotFound)
        scenario.workspace = .default
        #expect(try scenario.when(store).count == 1)
    }

    @Test func aSecretIsDeletedOnce() throws {
        var scenario = Scenario()
        let stored = secret(&scenario)
        try storeTool(&scenario, [stored])
        let delete = Command.deleteSecret(DeleteSecret(kind: .tool, owner: "stripe", name: "api_key"))
        #expect(try scenario.when(delete).compactMap(\.payload.obsoleteKeyID) == [stored.sealed.keyID])
        #expect(scenario.rejection(delete)?.code == .secretNotFound)
    }

    @Test func namesAndSizesAreBounded() throws {
        var scenario = Scenario()
        let twice = [secret(&scenario), secret(&scenario)]
        let tooLong = secret(&scenario, bytes: Limits().sealedSecretBytesMax + 1)
        for secrets in [twice, [secret(&scenario, "")], [secret(&scenario, "a\nb")], [tooLong]] {
            var tried = scenario
            #expect(throws: Rejection.self) { try storeTool(&tried, secrets) }
            #expect(tried.state == scenario.state)
        }
    }
}
