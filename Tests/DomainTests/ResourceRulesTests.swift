import Domain
import Testing

@Suite struct ResourceRulesTests {
    private func item(_ scenario: inout Scenario, _ name: String, kind: ResourceKind = .tool) -> StoreResources.Item {
        StoreResources.Item(kind: kind, name: name, newID: scenario.newID(), document: JSONText(verified: "{}"))
    }

    @Test func storingAgainKeepsTheIdAndCountsTheRevision() throws {
        var scenario = Scenario()
        let first = try scenario.when(.storeResources(StoreResources(items: [item(&scenario, "echo")])))
        let second = try scenario.when(.storeResources(StoreResources(items: [item(&scenario, "echo")])))
        #expect(first.map(\.stream) == second.map(\.stream))
        #expect(second.map(\.streamSequence) == [2])
    }

    @Test func deployStoresAllOrNothing() throws {
        var scenario = Scenario()
        let items = [item(&scenario, "good"), item(&scenario, "bad/name")]
        #expect(scenario.rejection(.storeResources(StoreResources(items: items)))?.code == .invalidArgument)
        #expect(scenario.state.resources.isEmpty)
    }

    @Test func deletedNameBecomesANewResource() throws {
        var scenario = Scenario()
        let first = try scenario.when(.storeResources(StoreResources(items: [item(&scenario, "echo")])))
        try scenario.when(.deleteResource(kind: .tool, name: "echo"))
        #expect(scenario.rejection(.deleteResource(kind: .tool, name: "echo"))?.message == "tool \"echo\" not found")
        let second = try scenario.when(.storeResources(StoreResources(items: [item(&scenario, "echo")])))
        #expect(first.map(\.stream) != second.map(\.stream))
    }

    @Test func seedLeavesWhatExists() throws {
        var scenario = Scenario()
        try scenario.when(.storeResources(StoreResources(items: [item(&scenario, "echo")])))
        let items = [item(&scenario, "echo"), item(&scenario, "other")]
        #expect(try scenario.when(.storeResources(StoreResources(items: items, keepsExisting: true))).count == 1)
    }

    @Test(arguments: ["", "a/b", "..", "a\u{0}b", String(repeating: "x", count: 300), "a\nb"])
    func namesThatWouldBreakAPathAreRefused(name: String) throws {
        var scenario = Scenario()
        let store = Command.storeResources(StoreResources(items: [item(&scenario, name)]))
        #expect(scenario.rejection(store)?.code == .invalidArgument)
    }
}
