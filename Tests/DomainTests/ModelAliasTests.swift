import Domain
import TestSupport
import Testing

/// Names of models, patterns of them, and which of two counts.
@Suite struct ModelAliasTests {
    private func store(_ names: String..., in scenario: inout Scenario) -> Command {
        .storeResources(
            StoreResources(
                items: names.map {
                    .init(
                        kind: .modelAlias, name: $0, newID: scenario.newID(),
                        document: JSONText(verified: #"{"spec":{"provider":"p"}}"#))
                }))
    }

    @Test(arguments: [
        ("claude-sonnet-*", "claude-sonnet-4-5"), ("claude-sonnet-*", "claude-sonnet-"), ("*", ""),
        ("*", "any/model:1"),
        ("*-mini", "gpt-4o-mini"), ("gpt-*-mini", "gpt-4o-mini"), ("a*b*c", "abc"), ("a*b*c", "a-bb-b-c"),
        ("a**c", "abc"), ("a*a", "aa"), ("exact", "exact"),
    ])
    func patternsMatch(pattern: String, name: String) {
        #expect(ModelNamePattern(pattern).matches(name))
    }

    @Test(arguments: [
        ("claude-sonnet-*", "claude-sonnet"), ("*-mini", "mini"), ("gpt-*-mini", "gpt-mini"), ("a*a", "a"),
        ("a*b*c", "acb"), ("a*bb*c", "abc"), ("exact", "exactly"), ("GPT-*", "gpt-4"), ("e\u{301}*", "\u{e9}x"),
    ])
    func patternsDoNotMatchOtherBytes(pattern: String, name: String) {
        #expect(!ModelNamePattern(pattern).matches(name))
    }

    @Test func aNameBeyondTheLimitMatchesNoPattern() {
        let name = "a" + String(repeating: "b", count: ModelNamePattern.nameBytesMax)
        #expect(!ModelNamePattern("a*").matches(name))
    }

    @Test(arguments: [
        ("gpt-*", "gpt-*-mini"), ("*", "*-mini"), ("gpt-*-mini", "gpt-*-4o-mini"), ("gpt-*x*-a", "gpt-*y*-a"),
        ("gpt-**", "gpt-*"),
    ])
    func twoPatternsThatTieAreRefusedAndTheOtherIsNamed(first: String, second: String) throws {
        var scenario = Scenario()
        try scenario.when(store(first, in: &scenario))
        let rejection = scenario.rejection(store(second, in: &scenario))
        #expect(rejection?.code == .modelAliasAmbiguous)
        #expect(rejection?.message.contains("\"\(first)\"") == true)
        #expect(scenario.rejection(store(first, second, in: &scenario))?.code == .modelAliasAmbiguous)
        try scenario.when(.deleteResource(kind: .modelAlias, name: first))
        try scenario.when(store(second, in: &scenario))
        #expect(scenario.rejection(store("other-*", first, in: &scenario))?.code == .modelAliasAmbiguous)
    }

    @Test(arguments: [
        ("gpt-*", "gpt-4*"), ("gpt-*", "gpt-4"), ("gpt-*-mini", "gpt-*-nano"), ("*", "a*"), ("a", "b"),
    ])
    func patternsOfWhichOneIsBetterStandBesideEachOther(first: String, second: String) throws {
        var scenario = Scenario()
        try scenario.when(store(first, in: &scenario))
        try scenario.when(store(second, in: &scenario))
        try scenario.when(store(first, in: &scenario))
        #expect(scenario.state.resources.count == 2)
    }

    @Test func anAliasOfAnotherWorkspaceIsNoConflict() throws {
        var scenario = Scenario()
        try scenario.when(store("gpt-*", in: &scenario))
        let other = try #require(WorkspaceName("other"))
        let key = ResourceKey(workspace: other, kind: .modelAlias, name: "gpt-*-mini")
        #expect(!scenario.state.resources.keys.contains(key))
        #expect(scenario.state.resources.keys.allSatisfy { $0.workspace != other })
    }

    @Test func theAliasesOfAWorkspaceAreBounded() throws {
        var scenario = Scenario()
        let names = (0..<Limits().modelAliasesMax).map { "alias-\($0)" }
        for name in names { try scenario.when(store(name, in: &scenario)) }
        #expect(scenario.rejection(store("one-more", in: &scenario))?.code == .limitReached)
        try scenario.when(store(names[0], in: &scenario))
    }

    /// Of all accepted patterns exactly one is the best for each name that any of them matches, in whatever order they
    /// are compared; and what is refused as a conflict is one.
    @Test(arguments: 0..<40 as Range<UInt64>) func everyNameHasOneBestPattern(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        func text(_ alphabet: String, max: Int) -> String {
            let letters = Array(alphabet)
            return String(
                (0..<Int.random(in: 1...max, using: &random)).map { _ in letters.randomElement(using: &random) ?? "a" })
        }
        var accepted: [ModelNamePattern] = []
        for _ in 0..<60 {
            let pattern = ModelNamePattern(text("ab*", max: 6))
            if !accepted.contains(where: { $0.conflicts(with: pattern) }) { accepted.append(pattern) }
        }
        for _ in 0..<400 {
            let name = text("ab", max: 8)
            let matching = accepted.filter { $0.matches(name) }
            let best = ModelNamePattern.best(for: name, of: accepted)
            #expect(best == ModelNamePattern.best(for: name, of: accepted.shuffled(using: &random)))
            #expect((best == nil) == matching.isEmpty)
            guard let best else { continue }
            #expect(matching.count { $0.isName == best.isName && $0.prefix.count == best.prefix.count } == 1)
            #expect(matching.allSatisfy { !$0.isName || best.isName })
        }
    }

    /// The short rule for conflicts says the same as trying all names.
    @Test func patternsConflictExactlyWhenANameMatchesBothEquallyWell() {
        var names = [""]
        for _ in 0..<6 { names += names.flatMap { [$0 + "a", $0 + "b"] } }
        let all = Set(names)
        var random = SeededRandom(seed: 7)
        for _ in 0..<2_000 {
            func pattern() -> ModelNamePattern {
                let letters = ["a", "b", "*"]
                let text = (0..<Int.random(in: 0...2, using: &random)).map { _ in
                    letters.randomElement(using: &random) ?? ""
                }
                return ModelNamePattern(text.joined() + "*" + (letters.randomElement(using: &random) ?? ""))
            }
            let (first, second) = (pattern(), pattern())
            let tie =
                first.prefix.count == second.prefix.count && all.contains { first.matches($0) && second.matches($0) }
            #expect(first.conflicts(with: second) == tie, "\(first.text) and \(second.text)")
            #expect(second.conflicts(with: first) == tie)
        }
    }

    @Test func anExactAliasCountsBeforeAListedModelAndAPatternAfterIt() {
        var aliases = ModelAliases()
        aliases.add("gpt-*", document: Self.document("pattern", "m"))
        aliases.add("gpt-5", document: Self.document("name", nil))
        #expect(aliases.target(of: "gpt-5", isListed: true)?.provider == "name")
        #expect(aliases.target(of: "gpt-4", isListed: true) == nil)
        #expect(aliases.target(of: "gpt-4", isListed: false)?.model == "m")
        #expect(aliases.target(of: "other", isListed: false) == nil)
    }

    @Test func theBudgetOfAnAliasIsThatOfItsModel() throws {
        var aliases = ModelAliases()
        aliases.add("sonnet", document: Self.document("claude", "claude-sonnet-4-5"))
        let text = #"{"llm_configs":[{"model":"sonnet","monthly_budget_usd":5,"role":"chat"}]}"#
        let models = AgentModels(document: JSONText(verified: text).value).resolved(by: aliases, listed: [])
        let entry = try #require(models.entry(provider: "claude", kind: "anthropic", model: "claude-sonnet-4-5"))
        #expect(entry.role == "chat" && entry.monthlyBudget == MicroUSD(5_000_000))
        #expect(models.entry(provider: "other", kind: "anthropic", model: "claude-sonnet-4-5") == nil)
    }

    @Test func theBudgetOfANameHoldsForItsModelAndForTheAlias() throws {
        var aliases = ModelAliases()
        aliases.add("m", document: Self.document("q", "x"))
        let text = #"{"llm_configs":[{"model":"m","monthly_budget_usd":5}]}"#
        let models = AgentModels(document: JSONText(verified: text).value).resolved(by: aliases, listed: ["m"])
        func spending(_ provider: String, _ model: String) -> ModelSpending {
            ModelSpending(provider: provider, providerKind: "openai", model: model, cost: MicroUSD(3_000_000))
        }
        let spent = [spending("p", "m"), spending("q", "x"), spending("q", "y")]
        for (provider, model) in [("p", "m"), ("q", "x")] {
            let standing = models.budgets(provider: provider, kind: "openai", model: model, spending: spent)
            #expect(standing.map(\.spent) == [MicroUSD(6_000_000)], "one sum, whatever the address of the call")
        }
        #expect(models.budgets(provider: "q", kind: "openai", model: "y", spending: spent).isEmpty)
    }

    private static func document(_ provider: String, _ model: String?) -> JSONValue {
        let members: [JSONValue.Member] =
            [.init(name: "provider", value: .string(provider))]
            + (model.map { [.init(name: "model", value: .string($0))] } ?? [])
        return .object([.init(name: "spec", value: .object(members))])
    }
}
