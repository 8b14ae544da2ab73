import Domain
import Testing

/// Names are compared by their bytes, also those that an older version recorded in another normalization form.
@Suite struct ExactNameTests {
    /// Pairs that Swift's `==` takes for equal.
    static let pairs: [(composed: String, other: String)] = [
        ("caf\u{e9}", "cafe\u{301}"), ("\u{c5}", "\u{212b}"), ("\u{ac00}", "\u{1100}\u{1161}"), ("K", "\u{212a}"),
    ]

    private static func store(_ name: String, _ id: UInt64) -> Command {
        .storeResources(
            StoreResources(items: [
                StoreResources.Item(
                    kind: .tool, name: name, newID: ResourceID(UUIDValue(high: 9, low: id)),
                    document: JSONText(verified: "{}"))
            ]))
    }

    // Names of resources hold no combining marks, so that the first pair is none.
    @Test(arguments: pairs.dropFirst()) func aResourceIsChangedUnderItsOwnNameAlone(composed: String, other: String)
        throws
    {
        #expect(composed == other && !composed.isExactly(other))
        var scenario = Scenario()
        try scenario.when(Self.store(composed, 1))
        let delete = Command.deleteResource(kind: .tool, name: other)
        #expect(scenario.rejection(delete)?.code == .resourceNotFound)
        #expect(scenario.rejection(Self.store(other, 2))?.code == .invalidArgument)
        #expect(scenario.state.resources.count == 1)
        try scenario.when(.deleteResource(kind: .tool, name: composed))
        try scenario.when(Self.store(other, 3))
        try scenario.when(.deleteResource(kind: .tool, name: other))
        #expect(scenario.state.resources.isEmpty)
    }

    @Test(arguments: pairs) func aTextIsAMemberUnderItsOwnBytesAlone(composed: String, other: String) {
        #expect(Set([composed, other]).count == 1 && Set([ExactText(composed), ExactText(other)]).count == 2)
        let people = [composed, other].map { PersonName(workspace: .default, userID: $0) }
        #expect(Set(people).count == 2)
    }

    @Test(arguments: pairs) func aGrantOfOneGroupIsNoneOfAnEquivalentOne(composed: String, other: String) throws {
        var gate = try GateScenario()
        _ = try gate.grant(GateScenario.requirement([composed]), .agentUserTTL)
        let call = gate.call(body: gate.newBody())
        #expect(try gate.begin(call, GateScenario.requirement([other])) == .blocked)
    }

    @Test(arguments: pairs) func aGrantIsForItsCapabilityAlone(composed: String, other: String) throws {
        var gate = try GateScenario()
        let first = gate.call(body: gate.newBody(), capability: composed)
        let grant = try gate.grant(GateScenario.plain, .run, call: first)
        let (same, equivalent) = (
            gate.call(body: gate.newBody(), capability: composed), gate.call(body: gate.newBody(), capability: other)
        )
        #expect(try gate.begin(same, GateScenario.plain) == .started(nil, grant))
        #expect(try gate.begin(equivalent, GateScenario.plain) == .blocked)
    }

    @Test func aMemberOfADocumentIsReadUnderItsOwnNameAlone() {
        let document = JSONValue.object([.init(name: "public\u{212a}ey", value: .bool(true))])
        #expect(document["publicKey"] == nil && document["public\u{212a}ey"] == .bool(true))
    }
}
