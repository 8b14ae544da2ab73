package import Domain

/// The names of the server's entries on a timeline, by the era of the API that shows it.
///
/// Clients of the current API know a closed list of types. What Sluice observes beyond it is shown to them under the
/// nearest type of that list that states no more than what happened; `timeline_type` then has the name in the log. The
/// types of entries that clients add stay as they came.
package enum TimelineVocabulary: Hashable, Sendable {
    /// The names as the log has them, with the names of members that older clients read.
    case v1alpha
    /// The names that the published document of the current API lists.
    case v1

    /// The published name of each type that the current API's document does not list.
    private static let published: [TimelineType: TimelineType] = [
        .approvalGranted: .approved, .approvalRejected: .rejected, .consentGranted: .approved,
        // A vote leaves the approval required.
        .approvalVote: .approvalRequired,
        // The gate answered instead of the tool.
        .toolRefused: .toolResponse, .payloadMismatch: .toolResponse,
        .modelCall: .toolCalled,
    ]

    /// The name that the event's entry has; `nil` for an event that is on no timeline.
    package func type(of event: Event) -> String? {
        guard let type = event.timelineType else { return nil }
        guard self == .v1, !event.payload.isClientsEntry, let own = TimelineType(rawValue: type) else { return type }
        return Self.published[own]?.rawValue ?? type
    }

    /// The names in the log that a type of this vocabulary stands for.
    package func recordedTypes(_ type: String) -> [String] {
        guard self == .v1, let shown = TimelineType(rawValue: type) else { return [type] }
        return [type] + Self.published.filter { $0.value == shown }.map(\.key.rawValue).sorted()
    }
}

extension EventPayload {
    /// True for an entry that a client added, under a type of its choice.
    fileprivate var isClientsEntry: Bool { if case .runEventAdded = self { true } else { false } }
}
