/// Every bound of the write side, in one place. Beyond a bound a command is refused, never queued for ever.
package struct Limits: Hashable, Sendable {
    /// Runs that are not finished; memory holds about 1 KiB for each.
    package var activeRunsMax = 1_000_000
    /// The memory that all unfinished runs take together, as `RunState.footprint` counts it.
    package var unfinishedBytesMax = 512 * 1024 * 1024
    /// The part of a bound that one workspace, or one principal, may use, in percent.
    package var sharePercent = ShareRule.percentDefault
    /// The maximum that one run adds to the log, in bytes, as `RunState.recordedBytes` counts it. An agent's turns and a
    /// client's additions end there; what Sluice itself records of the run does not.
    package var recordedBytesPerRunMax: UInt64 = 1024 * 1024 * 1024
    /// Blocked actions of one run, resolved ones included.
    package var actionsPerRunMax = 1_000
    /// Calls of tools that one run makes; memory holds about 100 bytes for each until the run is finished.
    package var toolCallsPerRunMax = 10_000
    /// Model calls of one run whose responses are recorded; memory holds about 250 bytes for each until the run is finished.
    package var modelCallsPerRunMax = 10_000
    /// The recorded model responses of one run, sealed.
    package var modelAnswerBytesPerRunMax = 256 * 1024 * 1024
    /// Access requests that are pending or whose grant has not expired.
    package var openAccessRequestsMax = 100_000
    /// Agents, tools, policies, model providers, identity providers and approval connectors of all workspaces, each kind by itself.
    package var resourcesPerKindMax = 100_000
    /// Model aliases of one workspace: a call of a model compares its name with each pattern.
    package var modelAliasesMax = 1_000
    /// API keys that are not revoked.
    package var apiKeysMax = 10_000
    /// Secrets of all workspaces.
    package var secretsMax = 100_000
    /// People with a key in the keyring; memory holds about 200 bytes for each, and the disk 512.
    package var peopleMax = 10_000_000
    /// Builds of all workspaces that wait or are being made.
    package var openBuildsMax = 200
    /// One secret, sealed.
    package var sealedSecretBytesMax = 128 * 1024
    /// Messages to approvers about what is not decided yet.
    package var deliveriesMax = 100_000
    /// Idempotency keys remembered; further ones are refused until some are forgotten.
    package var idempotencyKeysMax = 1_000_000
    /// How long an idempotency key is remembered.
    package var idempotencyRetention: Duration = .seconds(24 * 3600)
    /// Events that one command adds to a run's timeline.
    package var eventsPerCommandMax = 1_000
    /// Text fields such as names and ids, in UTF-8 bytes.
    package var textBytesMax = 1_024
    /// One JSON document or message, in UTF-8 bytes.
    package var documentBytesMax = 4 * 1024 * 1024

    package init() {}
}
