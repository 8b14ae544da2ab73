package import Domain
import EventLog
import EventStore

/// How much of a log is restored.
package enum RestorePoint: Hashable, Sendable {
    case newest
    /// Up to there, but no command's events in part.
    case position(UInt64)
    /// What was recorded until then.
    case time(Timestamp)

    /// The end of the last command that is wholly within the point, and of which something is kept: a log ends with a
    /// record that is there.
    ///
    /// - Parameter newest: the log's last position.
    /// - Throws: `DaemonError.notFound` for a position that the log has not, or when nothing is within the point.
    func position(in storage: any LogStorage, newest: UInt64) throws -> UInt64 {
        let wanted: UInt64
        switch self {
        case .newest: return newest
        case .position(let position):
            guard position <= newest else {
                throw DaemonError(.notFound, "the backup ends at position \(newest), before \(position)")
            }
            wanted = position
        case .time(let time): wanted = try Self.last(until: time, in: storage)
        }
        let end = try Self.endOfCommand(wanted, in: storage, newest: newest)
        let position = end < newest ? try Self.lastKept(through: end, in: storage) : end
        guard position > 0 else { throw DaemonError(.notFound, "nothing was recorded up to there") }
        if position < newest { try Self.checkPruned(through: position, in: storage) }
        return position
    }

    /// The position before the first event that is later.
    private static func last(until time: Timestamp, in storage: any LogStorage) throws -> UInt64 {
        var last: UInt64 = 0
        let problem = try LogVerifier.forEachRecord(in: storage) { position, record in
            guard try EventCodec.decode(record, at: position).time <= time else { return false }
            last = position
            return true
        }
        if let problem { throw DaemonError(.backupUnusable, "the backup is damaged: \(problem.description)") }
        return last
    }

    /// The last position up to there of which the record is kept; 0 when none is.
    private static func lastKept(through end: UInt64, in storage: any LogStorage) throws -> UInt64 {
        var reader = LogReader(storage: storage)
        var position = end
        while position > 0 {
            guard try reader.read(from: position, through: position, bytesMax: 1).first?.bytes == nil else { break }
            position -= 1
        }
        return position
    }

    /// A run whose end was pruned, and not its beginning, would go on at the restored point: its agent would be called.
    ///
    /// - Throws: `DaemonError.notFound` when there may be such a run; the expiry that would end it is later.
    private static func checkPruned(through position: UInt64, in storage: any LogStorage) throws {
        var (state, keptCount, expiry) = (ActiveState(), UInt64(0), UInt64(0))
        let problem = try LogVerifier.forEachRecord(in: storage) { place, record in
            if place <= position {
                keptCount += 1
                state.evolve(try EventCodec.decode(record, at: place))
            } else if EventCodec.stream(of: record)?.kind == .expiry,
                case .runExpired(let expired) = try EventCodec.decode(record, at: place).payload,
                state.remembers(expired)
            {
                expiry = place
            }
            return true
        }
        if let problem { throw DaemonError(.backupUnusable, "the backup is damaged: \(problem.description)") }
        guard keptCount < position, expiry > 0 else { return }
        throw DaemonError(
            .notFound,
            "runs that look unfinished at position \(position) have expired since, and their later records may be pruned; "
                + "restore to position \(expiry) or later")
    }

    /// An event says how many of its command stand before it: the one after a command's end says 0.
    private static func endOfCommand(
        _ position: UInt64, in storage: any LogStorage, newest: UInt64
    ) throws -> UInt64 {
        guard position > 0, position < newest else { return position }
        var reader = LogReader(storage: storage)
        let next = try reader.read(from: position + 1, through: position + 1, bytesMax: 1)
        guard let record = next.first?.bytes else { return position }
        let index = UInt64(try EventCodec.decode(record, at: position + 1).causation.index)
        guard index <= position else {
            throw DaemonError(.backupUnusable, "the event at position \(position + 1) is of no command")
        }
        return position - index
    }
}
