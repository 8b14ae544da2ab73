/// What the write side remembers of a build that has not ended.
package struct BuildState: Hashable, Sendable {
    package let id: BuildID
    package let workspace: WorkspaceName
    /// How often it was begun; 0 while it waits.
    package private(set) var attempts: UInt32
    package private(set) var streamSequence: UInt64

    package init(id: BuildID, workspace: WorkspaceName, attempts: UInt32, streamSequence: UInt64) {
        self.id = id
        self.workspace = workspace
        self.attempts = attempts
        self.streamSequence = streamSequence
    }

    mutating func start(_ started: BuildStarted, sequence: UInt64) {
        attempts = started.attempt
        streamSequence = sequence
    }
}
