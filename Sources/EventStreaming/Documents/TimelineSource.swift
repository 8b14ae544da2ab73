import Domain

/// The origin of an entry on a run's timeline: an observation of the server, or the statement of a client.
enum TimelineSource: String, Hashable, Sendable {
    /// Sluice observed it.
    case server
    /// An agent states it.
    case agent
    /// Another client states it, or one that an older version did not tell from an agent.
    case client

    init(_ payload: EventPayload) {
        self =
            switch payload {
            case .runEventAdded(let added): added.agentID == nil ? .client : .agent
            case .toolResultRecorded: .client
            // The server blocked the action; the call that it is about is the client's statement.
            case .actionBlocked(let blocked) where blocked.call == nil && !blocked.isConsent: .client
            default: .server
            }
    }
}
