package import Domain
import EventLog
import EventStore

extension LogInspection {
    /// Compares two moments of the log.
    ///
    /// Reads from the segment of the earlier moment on, and of the log before it no more than leads back to the
    /// beginning of what has changed since.
    ///
    /// - Parameters:
    ///   - end: the later moment; the end of the log when it is `nil`.
    ///   - progress: called with the segments that were looked through for what was before, and of how many.
    package func difference(
        from begin: Moment, to end: Moment?, progress: (_ done: UInt64, _ total: UInt64) -> Void
    ) throws -> HistoryDiff {
        let segments = try LogSegments(storage())
        let index = min(try self.index(of: begin, segments), try end.map { try self.index(of: $0, segments) } ?? .max)
        let first = segments.firsts.isEmpty ? 1 : segments.firsts[index]
        var (earlier, last) = (EarlierFacts(), Position.zero)
        try forEachEvent(from: first) { recorded in
            if let end, !end.includes(recorded) { return false }
            if begin.includes(recorded) { last = recorded.position } else { earlier.note(recorded.event) }
            return true
        }
        var diff = HistoryDiff()
        for recorded in try events(for: &earlier, through: last, segments, progress) { diff.add(recorded) }
        diff.begin(after: last)
        try forEachEvent(from: max(first, last.next.value)) { recorded in
            if let end, !end.includes(recorded) { return false }
            diff.add(recorded)
            return true
        }
        return diff
    }

    /// The newest segment that begins at the moment or earlier.
    func index(of moment: Moment, _ segments: LogSegments) throws -> Int {
        let personal = try personal()
        return try segments.lastIndex { position, record in
            switch moment {
            case .position(let wanted): return position <= wanted
            case .time(let time):
                return try EventCodec.decode(record, at: position, opening: personal).time <= time
            }
        }
    }

    /// The events up to the position that are needed, in order: segment by segment from the newest on, until all are
    /// found.
    private func events(
        for earlier: inout EarlierFacts, through last: Position, _ segments: LogSegments,
        _ progress: (_ done: UInt64, _ total: UInt64) -> Void
    ) throws -> [RecordedEvent] {
        guard last > .zero else { return [] }
        let (storage, personal) = (try storage(), try personal())
        var (needed, end): ([RecordedEvent], UInt64) = ([], last.value)
        let newest = segments.index(holding: last.value)
        for index in (0...newest).reversed() where !earlier.isComplete {
            progress(UInt64(newest - index), UInt64(newest + 1))
            let candidates = try events(storage, personal, segments.firsts[index]...end) { earlier.mayNeed($0) }
            for recorded in candidates.reversed() where earlier.take(recorded.event) { needed.append(recorded) }
            end = segments.firsts[index] - 1
        }
        return needed.reversed()
    }

    /// The events of one segment that are of such streams.
    private func events(
        _ storage: PosixLogStorage, _ personal: any PersonalDataReader, _ range: ClosedRange<UInt64>,
        _ isWanted: (StreamID) -> Bool
    ) throws -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        let problem = try LogVerifier.forEachRecord(in: storage, from: range.lowerBound) { position, record in
            guard position <= range.upperBound else { return false }
            guard let stream = EventCodec.stream(of: record), isWanted(stream) else { return true }
            let event = try EventCodec.decode(record, at: position, opening: personal)
            events.append(RecordedEvent(position: Position(position), event: event))
            return true
        }
        if let problem { throw Self.damaged(problem) }
        return events
    }
}
