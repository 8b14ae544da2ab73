import Domain
import Testing

@Suite struct SpendingTests {
    @Test(
        arguments: [
            ("0", 0), ("-0.0", 0), ("1", 1_000_000), ("0.15", 150_000), ("12.5", 12_500_000), ("0.000001", 1),
            ("0.0000014999", 1), ("0.0000015", 2), ("0.30000000000000004", 300_000), ("2.5E-1", 250_000),
            ("1e2", 100_000_000),
            ("1e-9", 0), ("5e-7", 1), ("4.9e-7", 0), ("0.999999999", 1_000_000), ("100e-2", 1_000_000), ("1e-400", 0),
        ] as [(String, UInt64)])
    func dollarsAreReadWithoutBinaryFractions(text: String, millionths: UInt64) {
        #expect(MicroUSD(dollars: text, max: MicroUSD(.max))?.value == millionths)
    }

    @Test(arguments: [
        "", "-1", "-0.5", "1.", ".5", "a", "1e", "1e999", "1e300", "99999999999999999999", "1.5.2", "0x1",
    ])
    func whatIsNoAmountIsNone(text: String) {
        #expect(MicroUSD(dollars: text, max: MicroUSD(.max)) == nil)
    }

    @Test func anAmountAboveTheMaximumIsNone() {
        #expect(MicroUSD(dollars: "5", max: MicroUSD(5_000_000)) != nil)
        #expect(MicroUSD(dollars: "5.000001", max: MicroUSD(5_000_000)) == nil)
    }

    @Test(arguments: [0, 1, 10, 999_999, 1_000_000, 1_500_000, 12_345_678, .max] as [UInt64])
    func whatIsWrittenIsReadAgain(value: UInt64) {
        #expect(MicroUSD(dollars: MicroUSD(value).description, max: MicroUSD(.max))?.value == value)
    }

    @Test func aCostIsRoundedUpOnce() {
        let price = ModelPrice(input: MicroUSD(150_000), output: MicroUSD(600_000), cachedInput: MicroUSD(75_000))
        #expect(price.cost(of: TokenUsage(prompt: 0, completion: 0)) == .zero)
        #expect(price.cost(of: TokenUsage(prompt: 1, completion: 0)) == MicroUSD(1))
        // 0.15 * 3 + 0.6 * 1 + 0.075 * 2 are 1.2.
        #expect(price.cost(of: TokenUsage(prompt: 5, completion: 1, cached: 2)) == MicroUSD(2))
        #expect(price.cost(of: TokenUsage(prompt: 1_000_000, completion: 1_000_000)) == MicroUSD(750_000))
    }

    @Test func theLargestUsageAtTheLargestPriceHasACost() {
        let price = ModelPrice(input: MicroUSD(.max), output: MicroUSD(.max))
        let usage = TokenUsage(prompt: .max, completion: .max, cached: .max)
        #expect(price.cost(of: usage) == MicroUSD(20_000_000_000_000))
    }

    @Test func eachKindOfTokenCostsItsPriceOnce() {
        let price = ModelPrice(
            input: MicroUSD(1_000_000), output: MicroUSD(10_000_000), cachedInput: MicroUSD(100_000),
            details: ModelPrice.Details(
                cacheWrite: MicroUSD(1_250_000), cacheWriteHour: MicroUSD(2_000_000), audioInput: MicroUSD(7_000_000),
                audioOutput: MicroUSD(70_000_000), reasoning: MicroUSD(20_000_000)))
        let usage = TokenUsage(
            prompt: 1_111_110, completion: 111, cached: 10,
            details: TokenUsage.Details(
                cacheWrite: 100, cacheWriteHour: 1_000, audioPrompt: 10_000, reasoning: 10, audioCompletion: 1))
        #expect(
            price.cost(of: usage).value
                == 1_100_000 + 1 + 125 + 2_000 + 70_000 + 1_000 + 200 + 70)
        #expect(usage.uncachedPrompt == 1_110_000 && usage.cacheWrites == 1_100)
    }

    @Test func withoutPricesOfTheirOwnTokensCostAsOthers() {
        let price = ModelPrice(input: MicroUSD(3), output: MicroUSD(5))
        #expect(price == ModelPrice(input: MicroUSD(3), output: MicroUSD(5), details: price.details))
        #expect(price.details == ModelPrice.Details())
        let hour = ModelPrice(
            input: MicroUSD(3), output: MicroUSD(5), details: ModelPrice.Details(cacheWrite: MicroUSD(4)))
        #expect(hour.cacheWriteHour == MicroUSD(4))
    }

    @Test func partsBeyondTheirWholeAreCut() {
        let details = TokenUsage.Details(
            cacheWrite: 4, cacheWriteHour: 4, audioPrompt: 4, reasoning: 4, audioCompletion: 4)
        let usage = TokenUsage(prompt: 10, completion: 5, cached: 3, details: details)
        #expect((usage.cached, usage.cacheWrite, usage.cacheWriteHour, usage.audioPrompt) == (3, 4, 3, 0))
        #expect((usage.reasoning, usage.audioCompletion) == (4, 1))
        #expect(usage.with(completion: 9).details == TokenUsage.Details(cacheWrite: 4, cacheWriteHour: 3))
    }

    @Test func cachedTokensAreNeverMoreThanThePrompt() {
        #expect(TokenUsage(prompt: 3, completion: 0, cached: 9) == TokenUsage(prompt: 3, completion: 0, cached: 3))
    }

    @Test(arguments: [
        ("2026-01-01T00:00:00Z", "2026-01-01", "2026-02-01"),
        ("2026-01-31T23:59:59.999999Z", "2026-01-01", "2026-02-01"),
        ("2024-02-29T12:00:00Z", "2024-02-01", "2024-03-01"), ("2026-12-31T23:59:59Z", "2026-12-01", "2027-01-01"),
        ("1969-12-31T23:59:59Z", "1969-12-01", "1970-01-01"),
    ])
    func aMonthGoesFromItsFirstDayToTheNextOnes(time: String, first: String, next: String) throws {
        let month = CalendarMonth(containing: try #require(Timestamp(rfc3339: time)))
        #expect(month.firstDay.description == first)
        #expect(month.next.firstDay.description == next)
        #expect(CalendarDay(first) == month.firstDay)
    }

    @Test(arguments: ["2026-02-29", "2026-13-01", "2026-1-01", "today", "", "2026-01-01T00:00:00Z"])
    func whatNoCalendarHasIsNoDay(text: String) {
        #expect(CalendarDay(text) == nil)
    }
}

@Suite struct BudgetTests {
    private static func models(_ json: String) throws -> AgentModels {
        AgentModels(document: try JSONValue(parsing: Array(json.utf8)))
    }

    private static func spent(_ provider: String, _ model: String, _ cost: UInt64) -> ModelSpending {
        ModelSpending(provider: provider, providerKind: "openai", model: model, cost: MicroUSD(cost))
    }

    @Test(
        arguments: [
            (0, BudgetStanding.Status.active), (79, .active), (80, .near), (99, .near), (100, .reached),
            (101, .reached),
        ] as [(UInt64, BudgetStanding.Status)])
    func aBudgetIsNearFromFourFifthsOnAndReachedWhenItIsSpent(spent: UInt64, status: BudgetStanding.Status) {
        #expect(BudgetStanding.status(spent: MicroUSD(spent), of: MicroUSD(100)) == status)
        #expect(BudgetStanding.status(spent: MicroUSD(spent), of: nil) == .uncapped)
    }

    @Test func aBudgetOfNothingIsReachedAtOnce() {
        #expect(BudgetStanding.status(spent: .zero, of: .zero) == .reached)
    }

    @Test func aCallFallsUnderTheBudgetsOfItsModelAndProviderAndUnderTheWholeOne() throws {
        let models = try Self.models(
            #"{"llm_configs":[{"model":"a","monthly_budget_usd":1},{"model":"a","model_provider":"q","monthly_budget_usd":2},"#
                + #"{"model":"b","provider":"OpenAI","monthly_budget_usd":3}],"monthly_budget_usd":9}"#)
        let spending = [Self.spent("p", "a", 10), Self.spent("q", "a", 5), Self.spent("q", "b", 1)]
        func budgets(_ provider: String, _ model: String) -> [BudgetStanding] {
            models.budgets(provider: provider, kind: "openai", model: model, spending: spending)
        }
        let whole = BudgetStanding(model: nil, budget: MicroUSD(9_000_000), spent: MicroUSD(16))
        let ofA = BudgetStanding(model: "a", budget: MicroUSD(1_000_000), spent: MicroUSD(15))
        #expect(budgets("p", "a") == [ofA, whole])
        #expect(
            budgets("q", "a") == [
                ofA, BudgetStanding(model: "a", budget: MicroUSD(2_000_000), spent: MicroUSD(5)), whole,
            ])
        #expect(
            budgets("p", "b") == [BudgetStanding(model: "b", budget: MicroUSD(3_000_000), spent: MicroUSD(1)), whole])
        #expect(budgets("p", "c") == [whole])
    }

    @Test func ofTwoEntriesOfTheSameModelTheLowerBudgetCounts() throws {
        let models = try Self.models(
            #"{"llm_configs":[{"role":"chat","model":"a","monthly_budget_usd":5},{"role":"classify","model":"a"},"#
                + #"{"role":"other","model":"a","monthly_budget_usd":2.5}]}"#)
        #expect(models.entries.count == 1)
        #expect(models.entries.first?.role == "chat" && models.entries.first?.monthlyBudget == MicroUSD(2_500_000))
    }

    @Test func oneConfigurationTurnsTheJournalOff() throws {
        for text in ["null", #"{"llm_configs":[{"model":"a"},{"model":"b","journal":true}]}"#] {
            #expect(try Self.models(text).isJournaled)
        }
        for text in [
            #"{"spec":{"llmConfig":{"model":"a","journal":false}}}"#,
            #"{"llm_configs":[{"model":"a"},{"model":"b","journal":false}]}"#,
        ] {
            #expect(try !Self.models(text).isJournaled)
        }
    }

    @Test func withoutAListTheSingleConfigurationCounts() throws {
        #expect(try Self.models(#"{"spec":{"llmConfig":{"model":"a","monthly_budget_usd":1}}}"#).hasBudget)
        #expect(try !Self.models(#"{"llm_configs":[{"model":"a"},{"role":"x"},7]}"#).hasBudget)
        #expect(try Self.models("null").entries.isEmpty)
    }
}

@Suite struct ModelCallRulesTests {
    private static func called(agent: String?, provider: String = "openai") -> ModelCalled {
        ModelCalled(
            provider: provider, providerKind: "openai", model: "m", role: nil, operation: "embeddings", agentID: agent,
            userID: nil, isStreamed: false, outcome: .answered(statusCode: 200), usage: nil, isEstimated: false,
            latency: .zero, timeToFirstByte: nil, price: nil, cost: nil, isNearBudget: false)
    }

    private static func scenario() throws -> Scenario {
        var scenario = Scenario()
        try scenario.when(
            .storeResources(
                StoreResources(items: [
                    .init(
                        kind: .modelProvider, name: "openai", newID: scenario.newID(),
                        document: JSONText(verified: "{}"))
                ])))
        return scenario
    }

    @Test func aCallForARunOfItsAgentIsOnThatRun() throws {
        var scenario = try Self.scenario()
        let driven = try scenario.createRun(invokeURL: "http://127.0.0.1:1/invoke")
        let own = try scenario.createRun()
        #expect(
            try scenario.when(.recordModelCall(run: driven, Self.called(agent: "payments"))).map(\.stream) == [
                .run(driven)
            ])
        #expect(scenario.timeline == ["RUN_CREATED", "LLM_CALL"])
        let events = try scenario.when(.recordModelCall(run: own, Self.called(agent: "payments")))
        #expect(events.map(\.stream) == [.run(own)] && events.allSatisfy { $0.timeline == nil })
    }

    @Test func aCallForAnotherAgentsRunOrForNoneIsOnItsProvider() throws {
        var scenario = try Self.scenario()
        let run = try scenario.createRun(invokeURL: "http://127.0.0.1:1/invoke")
        for (index, id) in [run, nil, scenario.newID()].enumerated() {
            let event = try #require(try scenario.when(.recordModelCall(run: id, Self.called(agent: "somebody"))).first)
            #expect(event.stream.kind == .modelProvider && event.streamSequence == UInt64(index + 2))
        }
        try scenario.when(.deleteResource(kind: .modelProvider, name: "openai"))
        #expect(scenario.history.last?.streamSequence == 5)
    }

    @Test func aRunOfAnotherWorkspaceAndAFinishedOneAreLeftAlone() throws {
        var scenario = try Self.scenario()
        let run = try scenario.createRun()
        try scenario.when(.changeRunStatus(run: run, .completed))
        #expect(
            try scenario.when(.recordModelCall(run: run, Self.called(agent: "payments"))).first?.stream.kind
                == .modelProvider)
        scenario.workspace = try #require(WorkspaceName("elsewhere"))
        #expect(
            scenario.rejection(.recordModelCall(run: run, Self.called(agent: "payments")))?.code == .resourceNotFound)
    }

    @Test func aTextThatIsTooLongIsRefused() throws {
        var scenario = try Self.scenario()
        let long = Self.called(agent: String(repeating: "a", count: 1_025))
        #expect(scenario.rejection(.recordModelCall(run: nil, long))?.code == .invalidArgument)
    }

    @Test func anUpdateOfAnOlderRevisionIsRefused() throws {
        var scenario = try Self.scenario()
        func store(_ revision: UInt64, _ scenario: inout Scenario) -> Command {
            .storeResources(
                StoreResources(items: [
                    .init(
                        kind: .modelProvider, name: "openai", newID: scenario.newID(),
                        document: JSONText(verified: "{}"),
                        expectedRevision: revision)
                ]))
        }
        try scenario.when(store(1, &scenario))
        #expect(scenario.rejection(store(1, &scenario))?.code == .revisionChanged)
        try scenario.when(store(2, &scenario))
    }
}
