import Domain
import EventStreaming

/// What a stream shows, and how: clients that ask for the same get the same bytes.
struct StreamSubject: Hashable, Sendable {
    let filter: EventFilter
    let format: StreamFormat
    /// Whether events are shown as entries of the run's timeline; else as entries of the log.
    let showsTimeline: Bool

    func text(_ item: StreamItem) -> String {
        switch item {
        case .heartbeat: StreamFormat.heartbeat
        case .end: StreamFormat.end
        case .event(let recorded):
            // A run's stream shows what its timeline does, and nothing else.
            switch (showsTimeline, recorded.event.timeline) {
            case (false, _): format.logEntry(recorded)
            case (true, .some): format.entry(recorded)
            case (true, .none): ""
            }
        }
    }
}
