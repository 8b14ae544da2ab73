package import Domain

/// A position of the log, or a time.
package enum Moment: Hashable, Sendable {
    case position(UInt64)
    case time(Timestamp)

    /// True when the event had come by then.
    package func includes(_ recorded: RecordedEvent) -> Bool {
        switch self {
        case .position(let position): recorded.position.value <= position
        case .time(let time): recorded.event.time <= time
        }
    }
}
