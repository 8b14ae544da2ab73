package import Domain

/// Which bases there are: as far from each other as they are old, and none of the recent past too far from the next.
///
/// An answer about a position costs the number of events from the base before it.
package struct BaseRule: Hashable, Sendable {
    /// The most events from one base to the next in the recent past.
    let interval: UInt64
    /// The length of the recent past.
    let recent: Duration
    /// Maximum bytes of all bases on the disk.
    let bytesMax: Int
    /// Maximum number of bases, each of which takes a file descriptor; with 0 none is made.
    let countMax: Int
    /// Of the older past a base is as many events from the next as this share of its age in events.
    private static let ageShare: UInt64 = 16
    /// A step from base to base is folded before anything of it is kept, so that it has a limit.
    private static let intervalsMax: UInt64 = 8

    /// A rule of these bounds.
    package init(interval: UInt64, recent: Duration, bytesMax: Int, countMax: Int = .max) {
        self.interval = interval
        self.recent = recent
        self.bytesMax = bytesMax
        self.countMax = countMax
    }

    /// The positions of a base and of the one that it was made over, and the time of its event.
    package struct Span: Hashable, Sendable {
        /// Zero for the first base.
        package let from: Position
        /// The position that the base shows.
        package let to: Position
        /// When that position's event was recorded.
        package let time: Timestamp
        /// The bytes of the base on the disk.
        package let sizeBytes: Int

        /// A base of that size from position to position.
        package init(from: Position, to: Position, time: Timestamp, sizeBytes: Int) {
            self.from = from
            self.to = to
            self.time = time
            self.sizeBytes = sizeBytes
        }
    }

    /// The distance of the next base from the newest one, in events; `nil` when there are too few.
    ///
    /// - Parameter isRecent: whether an event of that position belongs to the recent past.
    package func step(
        from top: Position, newest: Position, isRecent: @Sendable (Position) async throws -> Bool
    ) async throws -> UInt64? {
        guard countMax > 0, newest > top, newest.value - top.value >= interval else { return nil }
        let far = min((newest.value - top.value) / Self.ageShare, interval * Self.intervalsMax)
        guard far > interval, try await !isRecent(Position(top.value + far)) else { return interval }
        return far
    }

    /// The index of a base that is to be merged into the one after it; `nil` when all stay.
    ///
    /// - Parameter now: the time of the newest event.
    package func superfluous(_ spans: [Span], newest: Position, now: Timestamp) -> Int? {
        guard spans.count > 1 else { return nil }
        let begin = now.adding(.zero - recent)
        let pairs = spans.indices.dropLast()
        if let old = pairs.first(where: { index in
            spans[index + 1].time < begin
                && distance(spans, index) <= max(interval, (newest.value - spans[index + 1].to.value) / Self.ageShare)
        }) {
            return old
        }
        guard spans.count > countMax || spans.reduce(0, { $0 + $1.sizeBytes }) > bytesMax else { return nil }
        // The one that makes the least difference: the events that it spares, for its age.
        return pairs.min { cost(spans, $0, newest) < cost(spans, $1, newest) }
    }

    /// The number of events that the base after the index would be from the one before it.
    private func distance(_ spans: [Span], _ index: Int) -> UInt64 {
        spans[index + 1].to.value - spans[index].from.value
    }

    private func cost(_ spans: [Span], _ index: Int, _ newest: Position) -> Double {
        Double(distance(spans, index)) / Double(newest.value - spans[index].from.value)
    }
}
