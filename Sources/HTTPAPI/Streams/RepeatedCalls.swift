import Domain
import EventStreaming
import Projections

/// Finds the calls that entries of timelines are about: a repeated call is recorded by its id alone.
struct RepeatedCalls: Hashable, Sendable {
    private let projections: Projections

    init(_ projections: Projections) { self.projections = projections }

    /// The entry with what is known of the call that it repeats.
    func entry(_ recorded: RecordedEvent, in vocabulary: TimelineVocabulary) -> JSONText {
        EventDocument.timelineEntry(recorded, in: vocabulary, repeating: call(repeatedBy: recorded.event))
    }

    /// The call; `nil` for events of other kinds, and for a call whose record is not there.
    private func call(repeatedBy event: Event) -> ToolCalled? {
        guard case .toolCallReplayed(let replayed) = event.payload, let run = event.runID else { return nil }
        // Entries are shown without it while read models cannot be read.
        return try? projections.toolCall(replayed.callID, of: run)
    }

    static func == (left: RepeatedCalls, right: RepeatedCalls) -> Bool { left.projections === right.projections }

    func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(projections)) }
}

extension Era {
    var vocabulary: TimelineVocabulary { self == .v1 ? .v1 : .v1alpha }
}
