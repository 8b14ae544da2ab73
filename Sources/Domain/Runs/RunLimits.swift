/// The bounds of one run's effects: an agent that runs away ends there, and no other run comes near them.
package struct RunLimits: Hashable, Sendable {
    /// Recorded calls of tools.
    package var toolCalls = 10_000
    /// Calls of models, replayed ones left out.
    package var modelCalls = 10_000
    /// The cost of its calls of models.
    package var modelCost = MicroUSD(1_000_000_000)
    /// Identical calls: of tools by methods that are not safe, and of models with the same body.
    package var repeats = 1_000

    package init() {}

    /// The same with the values that an agent's deploy names.
    func replacing(_ overrides: RunLimitOverrides) -> RunLimits {
        var limits = self
        limits.toolCalls = overrides.toolCalls ?? toolCalls
        limits.modelCalls = overrides.modelCalls ?? modelCalls
        limits.modelCost = overrides.modelCost ?? modelCost
        limits.repeats = overrides.repeats ?? repeats
        return limits
    }

    /// The reason why the run gets no further tool call; `nil` while there is room.
    func reachedByToolCall(_ occurrence: UInt32, isSafe: Bool, of run: RunState) -> String? {
        if run.calls.entries.count >= toolCalls { return Self.reason("run-tool-calls-max", "\(toolCalls) tool calls") }
        guard !isSafe, Int(occurrence) > repeats else { return nil }
        return Self.reason("run-repeats-max", "\(repeats) identical tool calls")
    }

    /// The reason why the run gets no further model call; `nil` while there is room.
    func reachedByModelCall(_ identity: UUIDValue?, of run: RunState) -> String? {
        if Int(run.modelCallCount) >= modelCalls {
            return Self.reason("run-model-calls-max", "\(modelCalls) model calls")
        }
        if run.modelCost >= modelCost { return Self.reason("run-model-cost-max", "\(modelCost) USD for models") }
        guard let identity, run.modelCalls.count(of: identity) >= repeats else { return nil }
        return Self.reason("run-repeats-max", "\(repeats) identical model calls")
    }

    private static func reason(_ setting: String, _ limit: String) -> String {
        "the run has reached its limit of \(limit) (\(setting), or limits in the agent's deploy)"
    }
}

/// The limits that an agent's deploy names for its runs, in `limits`.
package struct RunLimitOverrides: Hashable, Sendable {
    package static let names = ["tool_calls", "model_calls", "model_cost_usd", "repeats"]
    package static let countMax = 1_000_000

    package var toolCalls: Int?
    package var modelCalls: Int?
    package var modelCost: MicroUSD?
    package var repeats: Int?

    package init() {}

    /// Reads the `limits` of an agent's document; what does not fit counts as absent.
    package init(_ limits: JSONValue?) {
        toolCalls = Self.count(limits?["tool_calls"])
        modelCalls = Self.count(limits?["model_calls"])
        modelCost = AgentModels.budget(limits?["model_cost_usd"])
        repeats = Self.count(limits?["repeats"])
    }

    /// A whole number from 1 to a million; `nil` for anything else.
    package static func count(_ value: JSONValue?) -> Int? {
        guard case .number(let text)? = value, let count = Int(text), (1...countMax).contains(count) else { return nil }
        return count
    }
}
