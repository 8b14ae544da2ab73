package import Domain

/// Calls of models: what they were for, what they used, and what that cost.
extension EventDocument {
    static func add(_ called: ModelCalled, to json: inout JSONObject) {
        json.add("call_id", called.callID?.description)
        json.add("provider", called.provider)
        json.add("provider_kind", called.providerKind)
        json.add("model", called.model)
        json.add("asked_model", called.askedModel)
        json.add("role", called.role)
        json.add("operation", called.operation)
        json.add("agent_id", called.agentID)
        json.add("user_id", called.userID)
        json.add("streamed", called.isStreamed)
        switch called.outcome {
        case .answered(let statusCode): json.add("status_code", statusCode)
        case .failed(let error): json.add("error", error)
        case .overBudget: json.add("refused", "budget")
        }
        if let usage = called.usage {
            json.add("prompt_tokens", usage.prompt)
            json.add("completion_tokens", usage.completion)
            json.add("cached_tokens", usage.cached)
            for (name, tokens) in usage.details.named where tokens > 0 { json.add(name, tokens) }
        }
        if called.isEstimated { json.add("estimated", true) }
        json.add("latency_us", UInt64(max(0, called.latency / .microseconds(1))))
        json.add("time_to_first_byte_us", called.timeToFirstByte.map { UInt64(max(0, $0 / .microseconds(1))) })
        json.add("cost_usd", called.cost.map(JSONText.init(dollars:)))
        if let price = called.price {
            json.add(
                "price",
                JSONText.object { json in
                    json.add("input_per_million_usd", JSONText(dollars: price.input))
                    json.add("output_per_million_usd", JSONText(dollars: price.output))
                    json.add("cached_input_per_million_usd", JSONText(dollars: price.cachedInput))
                    for (name, price) in price.details.named { json.add(name, price.map(JSONText.init(dollars:))) }
                })
        }
        if called.isNearBudget { json.add("budget", "near") }
    }
}

extension TokenUsage.Details {
    /// In the words of the API.
    fileprivate var named: KeyValuePairs<String, UInt64> {
        [
            "cache_write_tokens": cacheWrite, "cache_write_1h_tokens": cacheWriteHour,
            "audio_prompt_tokens": audioPrompt, "reasoning_tokens": reasoning,
            "audio_completion_tokens": audioCompletion,
        ]
    }
}

extension ModelPrice.Details {
    /// In the words of `spec.prices`.
    fileprivate var named: KeyValuePairs<String, MicroUSD?> {
        [
            "cache_write_per_million_usd": cacheWrite, "cache_write_1h_per_million_usd": cacheWriteHour,
            "audio_input_per_million_usd": audioInput, "audio_output_per_million_usd": audioOutput,
            "reasoning_per_million_usd": reasoning,
        ]
    }
}

extension JSONText {
    /// A number of dollars, exact.
    package init(dollars: MicroUSD) { self.init(verified: dollars.description) }
}
