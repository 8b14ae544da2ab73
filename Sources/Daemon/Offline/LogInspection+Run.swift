package import Domain
import EventLog
import EventStore
import Synchronization

extension LogInspection {
    /// Ids are given out with the time in them; clocks may have gone back since by no more than this.
    private static let idTimeSlack = Duration.seconds(3600)

    /// The events of a run that are kept, in order: looked for on all processors, from the time on that its id tells.
    ///
    /// - Parameter progress: called now and then with the bytes that were looked through, and of how many.
    /// - Throws: `DaemonError.logUnusable` when the log is damaged.
    package func events(
        of run: RunID, progress: (_ done: UInt64, _ total: UInt64) -> Void
    ) throws -> [RecordedEvent] {
        let segments = try LogSegments(storage())
        guard let created = run.value.timeOfVersion7 else { return try events(of: run, from: 1, progress) }
        let begin = try index(of: .time(created.adding(.zero - Self.idTimeSlack)), segments)
        guard begin > 0 else { return try events(of: run, from: 1, progress) }
        let events = try events(of: run, from: segments.firsts[begin], progress)
        // An id that tells another time than the log does.
        guard let first = events.first, case .runCreated = first.event.payload else {
            return try self.events(of: run, from: 1, progress)
        }
        return events
    }

    private func events(
        of run: RunID, from first: UInt64, _ progress: (_ done: UInt64, _ total: UInt64) -> Void
    ) throws -> [RecordedEvent] {
        let personal = try personal()
        let found = Mutex<[RecordedEvent]>([])
        let report = try LogVerifier.verify(
            try storage(), from: first,
            inspect: { position, record in
                guard let stream = EventCodec.stream(of: record), stream.mayBeOf(run) else { return nil }
                do throws(EventStoreError) {
                    let event = try EventCodec.decode(record, at: position, opening: personal)
                    guard event.runID == run else { return nil }
                    found.withLock { $0.append(RecordedEvent(position: Position(position), event: event)) }
                    return nil
                } catch {
                    return error.description
                }
            }, progress: progress)
        if let problem = report.problems.first { throw Self.damaged(problem) }
        return found.withLock { $0.sorted { $0.position < $1.position } }
    }
}

extension StreamID {
    /// False when no event of the stream is of the run. Streams of other kinds may name it in an event.
    fileprivate func mayBeOf(_ run: RunID) -> Bool { kind == .run ? id == run.value : true }
}

extension UUIDValue {
    /// The time in an id of version 7 (RFC 9562, 5.7); `nil` for other versions.
    fileprivate var timeOfVersion7: Timestamp? {
        guard high >> 12 & 0xf == 7 else { return nil }
        return Timestamp(microseconds: Int64(high >> 16) * 1000)
    }
}
