import Domain

/// Every bound of the egress gateway.
package struct EgressConfiguration: Hashable, Sendable {
    /// How long a tool may take to answer, when its document does not say.
    package var timeout: Duration = .seconds(60)
    /// Calls of tools on their way at the same time, of all agents together.
    package var callsMax = 256
    /// The part of them that one agent may have, in percent.
    package var agentSharePercent = ShareRule.percentDefault
    /// Maximum time that a call waits, with its permit, for its outcome to be recorded.
    package var recordingTimeout: Duration = .seconds(15)
    /// An answer up to this size is kept, sealed, for an agent that asks again.
    package var keptAnswerBytesMax = 256 * 1024
    /// The largest answer that is let through.
    package var answerBytesMax = 64 * 1024 * 1024
    /// A blocked body up to this size is kept, sealed, for whoever decides.
    package var keptBodyBytesMax = 256 * 1024

    package init() {}
}
