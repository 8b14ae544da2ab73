extension Command {
    /// True for stops, cancellations, deletions of agents and revocations of keys.
    ///
    /// They may not wait: neither for read models that stand still, nor for room for their idempotency key. A repetition ends
    /// nothing more.
    package var endsWork: Bool {
        switch self {
        case .failRun, .stop, .revokeAPIKey, .deleteResource(kind: .agent, _), .finishBuild: true
        default: false
        }
    }
}
