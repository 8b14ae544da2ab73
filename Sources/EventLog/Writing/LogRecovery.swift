/// Opens a log directory: checks how the segments follow each other, and cuts a torn tail.
package enum LogRecovery {
    /// Where the writer goes on.
    package struct Tail {
        let firstPosition: UInt64
        let file: any LogFile
        let end: UInt64
        let frontier: MerkleFrontier

        var segment: String { SegmentHeader.fileName(firstPosition: firstPosition) }
    }

    /// What was found and done.
    package struct Report: Hashable, Sendable {
        package internal(set) var segments = 0
        package internal(set) var lastPosition: UInt64 = 0
        /// The Merkle tree of all records up to there.
        package internal(set) var frontier = MerkleFrontier()
        /// Bytes of an unacknowledged frame that were cut off the newest segment.
        package internal(set) var tornTail: TornTail?
        /// A segment whose making a crash interrupted; it held no frame and was removed.
        package internal(set) var removedSegment: String?
    }

    package struct TornTail: Hashable, Sendable {
        package let segment: String
        package let offset: UInt64
        package let byteCount: UInt64
    }

    /// Finds where the writer goes on, and makes durable whatever it finds.
    ///
    /// - Parameters:
    ///   - signed: the newest position that a signed checkpoint covers: a log that ends before it has lost events.
    ///   - progress: receives the bytes of the newest segment that are checked, and its size.
    package static func open(
        _ storage: any LogStorage, signed: UInt64 = 0,
        _ progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
    ) throws(LogError) -> (Tail, Report) {
        var report = Report()
        let closed = try wrap { () throws(StorageError) in try CleanMark.read(from: storage) }
        let acknowledged = Acknowledged(closed: closed ?? 0, signed: signed)
        var firsts = try segmentPositions(storage)
        let newest = firsts.last
        let unfinished = if let newest, try isUnfinished(newest, storage) { firsts.popLast() } else { nil as UInt64? }
        // A start that is refused changes nothing: all is checked before anything is removed or cut.
        for first in firsts.dropLast() { _ = try header(first, storage) }
        guard (firsts.first ?? unfinished ?? 1) == 1 else {
            throw .damaged(
                segment: SegmentHeader.fileName(firstPosition: 1), position: 1, offset: 0,
                reason: "the first segment is missing")
        }
        guard let newest = firsts.last else {
            try acknowledged.check(SegmentHeader.fileName(firstPosition: 1), end: 0, offset: 0)
            try wrap { () throws(StorageError) in try SegmentPruning.removeDrafts(storage) }
            try remove(unfinished, storage, &report)
            let header = SegmentHeader(firstPosition: 1, frontier: MerkleFrontier())
            let file = try wrap { () throws(StorageError) in try createSegment(header, in: storage) }
            report.segments = 1
            return (
                Tail(
                    firstPosition: header.firstPosition, file: file, end: UInt64(SegmentHeader.byteCount),
                    frontier: header.frontier), report
            )
        }
        let tail = try recoverTail(
            try header(newest, storage), storage, acknowledged, unfinished, &report, progress)
        try remove(unfinished, storage, &report)
        try wrap { () throws(StorageError) in try SegmentPruning.removeDrafts(storage) }
        report.segments = firsts.count
        report.lastPosition = tail.frontier.count
        report.frontier = tail.frontier
        return (tail, report)
    }

    /// The first positions of all segments, in order.
    static func segmentPositions(_ storage: any LogStorage) throws(LogError) -> [UInt64] {
        let names = try wrap { () throws(StorageError) in try storage.names() }
        var positions: [UInt64] = []
        for name in names where name != CleanMark.fileName && !name.hasSuffix(".tmp") {
            guard let position = SegmentHeader.firstPosition(fileName: name) else {
                throw .foreign("the log directory holds \(name), which is no segment; move it away")
            }
            positions.append(position)
        }
        return positions.sorted()
    }

    /// Reads and checks a segment's header.
    static func header(_ firstPosition: UInt64, _ storage: any LogStorage) throws(LogError) -> SegmentHeader {
        let file = try wrap { () throws(StorageError) in
            try storage.open(SegmentHeader.fileName(firstPosition: firstPosition), isWritable: false)
        }
        return try header(firstPosition, file)
    }

    /// The header of an open segment, which may have been replaced by now.
    static func header(_ firstPosition: UInt64, _ file: any LogFile) throws(LogError) -> SegmentHeader {
        let name = SegmentHeader.fileName(firstPosition: firstPosition)
        let bytes = try wrap { () throws(StorageError) in try file.read(at: 0, count: SegmentHeader.byteCount) }
        let reason: String
        do {
            let header = try SegmentHeader(bytes)
            if header.firstPosition == firstPosition { return header }
            reason = "the header begins with position \(header.firstPosition)"
        } catch {
            switch error {
            case .newerFormat(let version):
                throw .foreign(
                    "segment \(name) has format version \(version); this sluice reads versions 1 and 2: upgrade it")
            case .notASegment: reason = "the header is not a segment's"
            case .checksum: reason = "the header's checksum does not match"
            case .contents: reason = "the header contradicts itself"
            }
        }
        throw .damaged(segment: name, position: firstPosition, offset: 0, reason: reason)
    }

    /// Makes a segment with its header, durable before any frame is written to it.
    static func createSegment(
        _ header: SegmentHeader, in storage: any LogStorage
    ) throws(StorageError) -> any LogFile {
        let file = try storage.create(header.fileName)
        try file.write(header.bytes, at: 0)
        try file.sync()
        try storage.syncDirectory()
        return file
    }

    private static func recoverTail(
        _ header: SegmentHeader, _ storage: any LogStorage, _ acknowledged: Acknowledged, _ unfinished: UInt64?,
        _ report: inout Report, _ progress: (UInt64, UInt64) -> Void
    ) throws(LogError) -> Tail {
        let name = header.fileName
        let file = try wrap { () throws(StorageError) in try storage.open(name, isWritable: true) }
        var frontier = header.frontier
        var scan = try wrap { () throws(StorageError) in
            try SegmentScan(name: name, file: file, firstPosition: header.firstPosition)
        }
        let size = scan.size
        var newest: (offset: UInt64, byteCount: Int) = (0, SegmentHeader.byteCount)
        let end = try wrap { () throws(StorageError) in
            try scan.walk { frame, offset, records in
                newest = (offset, frame.byteCount)
                progress(offset, size)
                for record in records { frontier.append(leafHash: record.leafHash) }
                return true
            }
        }
        // Before anything is cut: the next start must find the same.
        try acknowledged.check(name, end: frontier.count, offset: scan.offset)
        if let unfinished, unfinished != frontier.count + 1 {
            throw .damaged(
                segment: name, position: frontier.count + 1, offset: scan.offset,
                reason: "a segment was begun at position \(unfinished), and the log ends at \(frontier.count) now")
        }
        if case .invalid(let reason) = end {
            guard try wrap({ () throws(StorageError) in try !scan.hasFrameBeyondEnd() }) else {
                throw .damaged(segment: name, position: scan.nextPosition, offset: scan.offset, reason: reason)
            }
            try wrap { () throws(StorageError) in
                try file.truncate(to: scan.offset)
                report.tornTail = TornTail(segment: name, offset: scan.offset, byteCount: size - scan.offset)
            }
        }
        // A killed process leaves a frame, or a segment, that no sync has confirmed, and from now on it is shown. It is
        // written again: after a failed sync the kernel takes its pages for clean, and another sync would do nothing.
        try wrap { () throws(StorageError) in
            try file.write(try file.read(at: newest.offset, count: newest.byteCount), at: newest.offset)
            try file.sync()
            try storage.syncDirectory()
        }
        return Tail(firstPosition: header.firstPosition, file: file, end: scan.offset, frontier: frontier)
    }

    /// Positions that were durable for certain: a log that ends before them has no torn tail, it is damaged.
    private struct Acknowledged {
        /// The last position of a log that was closed in order; 0 without a mark.
        let closed: UInt64
        let signed: UInt64

        func check(_ segment: String, end: UInt64, offset: UInt64) throws(LogError) {
            if closed > end { throw LogRecovery.shortened(closed, segment, end, offset: offset) }
            guard signed > end else { return }
            throw .damaged(
                segment: segment, position: end + 1, offset: offset,
                reason:
                    "events up to position \(signed) were signed and the log ends at \(end) now; if an earlier log is "
                    + "wanted, move the directory `audit` away")
        }
    }

    /// A log that was closed in order has no torn tail: what is missing was acknowledged.
    static func shortened(_ mark: UInt64, _ segment: String, _ position: UInt64, offset: UInt64) -> LogError {
        .damaged(
            segment: segment, position: position + 1, offset: offset,
            reason: "the log was closed at position \(mark) and ends at \(position) now")
    }

    /// Whether a crash interrupted the making of the newest segment: a short, blank or torn header, and no frame after
    /// it. Nothing is lost with such a segment, because a header is durable before the first frame is written.
    private static func isUnfinished(_ firstPosition: UInt64, _ storage: any LogStorage) throws(LogError) -> Bool {
        let name = SegmentHeader.fileName(firstPosition: firstPosition)
        let bytes = try wrap { () throws(StorageError) -> [UInt8]? in
            let file = try storage.open(name, isWritable: false)
            guard try file.size() <= UInt64(SegmentHeader.byteCount) else { return nil }
            return try file.read(at: 0, count: SegmentHeader.byteCount)
        }
        guard let bytes else { return false }
        guard bytes.count == SegmentHeader.byteCount else { return true }
        do {
            _ = try SegmentHeader(bytes)
            return false
        } catch {
            return error != .contents && SegmentHeader.mayBeTorn(bytes)
        }
    }

    private static func remove(
        _ unfinished: UInt64?, _ storage: any LogStorage, _ report: inout Report
    ) throws(LogError) {
        guard let unfinished else { return }
        let name = SegmentHeader.fileName(firstPosition: unfinished)
        try wrap { () throws(StorageError) in
            try storage.remove(name)
            try storage.syncDirectory()
        }
        report.removedSegment = name
    }

    static func wrap<Value>(_ body: () throws(StorageError) -> Value) throws(LogError) -> Value {
        do throws(StorageError) {
            return try body()
        } catch {
            throw LogError(shortage: error) ?? .storage(error)
        }
    }
}
