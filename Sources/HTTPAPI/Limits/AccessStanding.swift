import CommandHandling
package import Domain

/// A moment by both clocks that an access may end by.
package struct AccessTime: Sendable {
    /// The time by which the ends that Sluice sets are judged, as those of keys.
    let time: Timestamp
    /// The time by which the ends that others set are judged, as those of people's tokens.
    let wallTime: Timestamp

    package init(time: Timestamp, wallTime: Timestamp) {
        self.time = time
        self.wallTime = wallTime
    }

    init(_ clock: any WallClock) { self.init(time: clock.now(), wallTime: clock.wallTime()) }
}

/// The end of an access, by each clock; `nil` where it has none.
package struct AccessDeadline: Hashable, Sendable {
    let time: Timestamp?
    let wallTime: Timestamp?

    package init(time: Timestamp? = nil, wallTime: Timestamp? = nil) {
        self.time = time
        self.wallTime = wallTime
    }

    /// The earlier end by each clock.
    package func earlier(_ other: AccessDeadline) -> AccessDeadline {
        AccessDeadline(
            time: [time, other.time].compactMap(\.self).min(),
            wallTime: [wallTime, other.wallTime].compactMap(\.self).min())
    }

    /// True when one of the ends is reached.
    package func isReached(at now: AccessTime) -> Bool { distance(from: now).map { $0 <= .zero } ?? false }

    /// The time until the first of the ends, not above zero once it is reached; `nil` when there is none.
    package func distance(from now: AccessTime) -> Duration? {
        [time?.since(now.time), wallTime?.since(now.wallTime)].compactMap(\.self).min()
    }
}

/// The standing of a principal's access at one moment.
enum AccessStanding: Hashable, Sendable {
    /// Granted until that deadline, as known now.
    case granted(until: AccessDeadline)
    case ended

    /// The standing of an access that needs both.
    func combined(with other: AccessStanding) -> AccessStanding {
        guard case .granted(let end) = self, case .granted(let otherEnd) = other else { return .ended }
        return .granted(until: end.earlier(otherEnd))
    }
}
