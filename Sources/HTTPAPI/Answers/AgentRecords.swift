package import Domain

/// What agents that Sluice runs leave behind to be read.
package struct AgentRecords: Sendable {
    /// Some lines of an agent's output.
    package struct Page: Hashable, Sendable {
        package let text: String
        /// The offset of what follows.
        package let next: UInt64

        package init(text: String, next: UInt64) {
            self.text = text
            self.next = next
        }
    }

    /// Whole lines of the agent's output from an offset on; `follows` waits for the next ones when there are none,
    /// until the agent is deleted or the task cancelled. `nil` when there is no such agent.
    package let output: @Sendable (AgentIdentity, _ after: UInt64, _ follows: Bool) async throws -> Page?
    /// The offset where the last lines of that output begin, as far as they are kept; `nil` when there is no such agent.
    package let lastLines: @Sendable (AgentIdentity, _ count: UInt64) async throws -> UInt64?
    /// What was said when the agent's environment was built; `nil` when there is no such agent.
    package let buildLog: @Sendable (AgentIdentity) async throws -> String?

    /// What has to happen before an agent of that document runs.
    package enum Outlook: Hashable, Sendable {
        /// It is called at its address.
        case isElsewhere
        case isBuilt
        case isInstalled(requirements: Int)
        case isFetched
        /// It would not run here, and why.
        case fails(String)
    }

    package let outlook: @Sendable (_ document: JSONValue) async -> Outlook

    /// Whether images are run here.
    package let runsImages: @Sendable () async -> Bool

    /// The Dockerfile that an image of a build's sources is made by; `nil` when they cannot be an agent.
    package let imageRecipe: @Sendable (_ document: JSONValue) -> String?

    package init(
        output: @escaping @Sendable (AgentIdentity, _ after: UInt64, _ follows: Bool) async throws -> Page? = {
            _, _, _ in nil
        },
        lastLines: @escaping @Sendable (AgentIdentity, _ count: UInt64) async throws -> UInt64? = { _, _ in nil },
        buildLog: @escaping @Sendable (AgentIdentity) async throws -> String? = { _ in nil },
        runsImages: @escaping @Sendable () async -> Bool = { false },
        outlook: @escaping @Sendable (_ document: JSONValue) async -> Outlook = { _ in .isElsewhere },
        imageRecipe: @escaping @Sendable (_ document: JSONValue) -> String? = { _ in nil }
    ) {
        self.output = output
        self.lastLines = lastLines
        self.buildLog = buildLog
        self.runsImages = runsImages
        self.outlook = outlook
        self.imageRecipe = imageRecipe
    }
}
