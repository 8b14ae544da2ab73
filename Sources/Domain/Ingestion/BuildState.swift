/// What the write side remembers of a build that has not ended.
package struct BuildState: Hashable, Sendable {
    package let id: BuildID
    package let workspace: WorkspaceName
    /// The key that asked for it; `nil` for a person, who counts with the workspace alone.
    package let requester: Actor.Kind?
    /// How often it was begun; 0 while it waits.
    package private(set) var attempts: UInt32
    package private(set) var streamSequence: UInt64

    package init(
        id: BuildID, workspace: WorkspaceName, requester: Actor.Kind?, attempts: UInt32, streamSequence: UInt64
    ) {
        self.id = id
        self.workspace = workspace
        self.requester = requester
        self.attempts = attempts
        self.streamSequence = streamSequence
    }

    mutating func start(_ started: BuildStarted, sequence: UInt64) {
        attempts = started.attempt
        streamSequence = sequence
    }
}

extension Actor {
    /// The actor when it is a key: nothing that says who a person is is remembered of a build.
    var keyKind: Kind? { if case .apiKey = kind { kind } else { nil } }
}
