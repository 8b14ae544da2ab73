import Domain

/// Why a provider gave no answer, and what the agent gets if nobody else gives one. Holds no secret.
struct ModelCallFailure: Error {
    let reason: String
    var answer: EgressAnswer
    /// Whether the provider has done nothing for certain, and may do it when asked again.
    var mayRepeat = false
    /// How long the provider wants to be left alone.
    var retryAfter: Duration?
    /// Whether another provider may be asked: not when it is the request that is wrong.
    var mayFallBack = true
    /// Whether the answer is what the provider said of the request.
    var isAnswered = false
    /// Whether anything went to the provider: what did not is no call of it.
    var isSent = true
    /// Whether the provider refuses the request for the usage of a stream, which the caller did not make.
    var isAboutUsageRequest = false
    /// Whether the provider may have taken the call, and bills its prompt then.
    var mayBeBilled = false
    /// The tokens that the provider bills for an answer that is of no use.
    var usage: TokenUsage?

    /// Something is wrong between Sluice and the provider: that is the operator's to see to.
    static func provider(_ reason: String, mayRepeat: Bool = false, retryAfter: Duration? = nil) -> Self {
        var answer = EgressAnswer.refusal(
            502, "PROVIDER_FAILED", "provider request failed", [.init(name: "detail", value: .string(reason))])
        if let retryAfter { answer = answer.with(("retry-after", String(retryAfter.components.seconds))) }
        return Self(reason: reason, answer: answer, mayRepeat: mayRepeat, retryAfter: retryAfter)
    }

    /// The provider began an answer of success, which cannot be read to its end: it bills the call all the same, and
    /// bills a retry again.
    static func brokenAnswer(_ reason: String) -> Self {
        var failure = provider(reason)
        failure.answer = failure.answer.with(("x-should-retry", "false"))
        failure.mayBeBilled = true
        return failure
    }

    /// The provider has answered in a way that the caller's format cannot express. A retry would be billed again, which
    /// the SDKs of OpenAI and Anthropic leave when `x-should-retry` says so.
    static func unreadable(_ answer: UnreadableAnswer) -> Self {
        var failure = brokenAnswer("the provider's answer cannot be read: \(answer.reason)")
        failure.usage = answer.usage
        return failure
    }

    /// The request cannot be put in the provider's format.
    static func request(_ reason: String) -> Self {
        Self(reason: reason, answer: .refusal(400, "REQUEST_UNSUPPORTED", reason), mayFallBack: false, isSent: false)
    }

    static func limited(_ provider: String, limit: UInt64, seconds: Int) -> Self {
        let reason = "model provider \"\(provider)\" takes \(limit) requests a minute (spec.rateLimit)"
        return Self(
            reason: "\(reason); try again in \(seconds) s", answer: .limited(reason, seconds: Int64(seconds)),
            isSent: false)
    }
}

extension EgressAnswer {
    /// A refusal of a call that may be made again after that time.
    static func limited(_ reason: String, seconds: Int64) -> EgressAnswer {
        EgressAnswer.refusal(429, "RATE_LIMITED", "\(reason); try again in \(seconds) s")
            .with(("retry-after", String(seconds)))
    }
}
