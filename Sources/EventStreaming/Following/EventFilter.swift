package import Domain

/// Which events a follower wants.
package struct EventFilter: Hashable, Sendable {
    package var workspace: WorkspaceName
    package var runID: RunID?
    package var agentID: String?
    /// Names of types, the log's or the timeline's; empty means all.
    package var types: Set<String> = []
    /// Only what the run's timeline shows.
    package var isTimelineOnly = false

    package init(workspace: WorkspaceName) { self.workspace = workspace }

    /// Whether the event matches, the agent apart.
    func matches(_ event: Event) -> Bool {
        guard event.workspace == workspace else { return false }
        if let runID, event.runID != runID { return false }
        if isTimelineOnly, event.timeline == nil { return false }
        guard !types.isEmpty else { return true }
        return types.contains(event.payload.typeName) || event.timelineType.map(types.contains) == true
    }
}

/// What a follower gets.
package enum StreamItem: Sendable {
    case event(RecordedEvent)
    /// Nothing happened for a while; everything up to this position has been looked at.
    case heartbeat(Position)
    /// The run is finished: nothing will follow.
    case end
}
