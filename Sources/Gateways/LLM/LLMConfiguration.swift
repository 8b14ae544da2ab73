/// Every bound of the LLM gateway.
package struct LLMConfiguration: Hashable, Sendable {
    /// How long a model may take to begin its answer, and then to go on with it.
    package var timeout: Duration = .seconds(300)
    /// Calls of models on their way at the same time, of all agents together, until their last byte.
    package var callsMax = 256
    /// The largest answer that is read whole before the agent gets any of it.
    package var wholeAnswerBytesMax = 256 * 1024
    /// The largest answer that is let through.
    package var answerBytesMax = 64 * 1024 * 1024

    package init() {}
}
