import Domain

/// Every bound of the LLM gateway.
package struct LLMConfiguration: Hashable, Sendable {
    /// How long a model may take to begin its answer, and then to go on with it.
    package var timeout: Duration = .seconds(300)
    /// The silence in a translated stream after which its caller gets a ping.
    package var heartbeat: Duration = .seconds(15)
    /// Calls of models on their way at the same time, of all agents together, until their last byte.
    package var callsMax = 256
    /// The part of them that one agent may have, in percent.
    package var agentSharePercent = ShareRule.percentDefault
    /// The largest answer that is read whole before the agent gets any of it.
    package var wholeAnswerBytesMax = 256 * 1024
    /// The largest answer that is let through.
    package var answerBytesMax = 64 * 1024 * 1024

    /// The largest answer that is put in another format, which needs the whole of it, unless it is a stream.
    package var translatedBytesMax = 16 * 1024 * 1024
    /// The largest error of a provider that is passed on.
    package var errorBytesMax = 64 * 1024
    /// True when the responses that runs receive are recorded for their later attempts.
    package var journalsAnswers = true
    /// The largest response that is recorded.
    package var journaledAnswerBytesMax = 1024 * 1024
    /// How often one provider is asked, when it is sure that it did nothing.
    package var attemptsMax = 2
    package var attemptPause = Duration.milliseconds(300)
    /// A provider that asks for a longer pause is not waited for.
    package var retryAfterMax = Duration.seconds(2)
    /// How many fallbacks are tried for one call.
    package var fallbacksMax = 3

    package init() {}
}
