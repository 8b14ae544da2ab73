import Domain

/// Why a provider gave no answer, and what the agent gets if nobody else gives one. Holds no secret.
struct ModelCallFailure: Error {
    let reason: String
    let answer: EgressAnswer
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

    /// Something is wrong between Sluice and the provider: that is the operator's to see to.
    static func provider(_ reason: String, mayRepeat: Bool = false, retryAfter: Duration? = nil) -> Self {
        Self(
            reason: reason,
            answer: .refusal(
                502, "PROVIDER_FAILED", "provider request failed", [.init(name: "detail", value: .string(reason))]),
            mayRepeat: mayRepeat, retryAfter: retryAfter)
    }

    /// The request cannot be put in the provider's format.
    static func request(_ reason: String) -> Self {
        Self(reason: reason, answer: .refusal(400, "REQUEST_UNSUPPORTED", reason), mayFallBack: false, isSent: false)
    }

    static func limited(_ provider: String, limit: UInt64, seconds: Int) -> Self {
        let message =
            "model provider \"\(provider)\" takes \(limit) requests a minute (spec.rateLimit); try again in \(seconds) s"
        let refusal = EgressAnswer.refusal(429, "RATE_LIMITED", message)
        return Self(
            reason: message,
            answer: EgressAnswer(
                status: 429, headers: refusal.headers + [("retry-after", String(seconds))], body: refusal.body),
            isSent: false)
    }
}
