import Domain

/// Calls of models: for a run, for none, answered, failed, refused.
extension LogGenerator {
    mutating func modelCall(_ run: RunState) -> Command {
        // Few, so that later attempts take what earlier ones recorded.
        let identity = UUIDValue(high: 0, low: UInt64.random(in: 1...3, using: &random))
        if random.chance(40) {
            return .takeModelCall(
                run: run.id, TakeModelCall(agentID: run.agentID, identity: identity, requestID: nil))
        }
        let outcomes: [ModelCalled.Outcome] = [
            .answered(statusCode: 200), .answered(statusCode: 429), .failed(error: "broken off"), .overBudget,
        ]
        let usage = random.maybe(
            TokenUsage(
                prompt: .random(in: 0...9_000, using: &random), completion: .random(in: 0...900, using: &random),
                cached: .random(in: 0...400, using: &random),
                details: TokenUsage.Details(cacheWrite: random.maybe(50) ?? 0, reasoning: random.maybe(20) ?? 0)))
        let price = random.maybe(ModelPrice(input: MicroUSD(150_000), output: MicroUSD(600_000)))
        let called = ModelCalled(
            provider: random.pick(Self.names), providerKind: "openai", model: random.pick(["small", "large"]),
            role: random.maybe("chat"), operation: "chat/completions",
            agentID: random.chance(90) ? run.agentID : random.maybe("another"), userID: random.maybe(run.userID),
            isStreamed: random.chance(50), outcome: random.pick(outcomes), usage: usage,
            isEstimated: random.chance(10), latency: .milliseconds(700),
            timeToFirstByte: random.maybe(.milliseconds(90)),
            price: price, cost: usage.flatMap { usage in price.map { $0.cost(of: usage) } },
            isNearBudget: random.chance(5))
        let answer = ModelAnswer(
            callID: random.chance(10) ? run.modelCalls.entries.last?.id ?? newID() : newID(), identity: identity,
            attempt: run.calls.attempt, sealed: random.maybe([1, 2, 3]))
        return .recordModelCall(run: random.chance(80) ? run.id : nil, called, random.maybe(answer))
    }
}
