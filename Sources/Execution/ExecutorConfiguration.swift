/// What an operator may tune about calling agents.
package struct ExecutorConfiguration: Hashable, Sendable {
    /// How long an agent may take to answer.
    package var invokeTimeout: Duration = .seconds(300)
    /// Calls in flight at the same time, of all agents together.
    package var callsMax = 256
    /// The part of an answer that is read; a longer answer is a success whose body is not kept.
    package var answerBytesMax = 1024 * 1024
    /// Maximum bytes of an answer that are read: what exceeds `answerBytesMax` is counted and dropped.
    package var readBytesMax = 64 * 1024 * 1024

    package init() {}
}
