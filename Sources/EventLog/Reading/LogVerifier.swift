/// Reads a whole log and checks all that can be checked without knowing what the records say.
package enum LogVerifier {
    package struct Report: Hashable, Sendable {
        package internal(set) var segments = 0
        package internal(set) var frames = 0
        package internal(set) var records: UInt64 = 0
        package internal(set) var storedBytes: UInt64 = 0
        package internal(set) var rawBytes: UInt64 = 0
        /// The RFC 6962 tree head of all records, lower-case hex.
        package internal(set) var rootHash = ""
        package internal(set) var problems: [Problem] = []
        /// Where the newest whole frame of the newest segment ends.
        fileprivate(set) var newestEnd: UInt64 = 0
    }

    /// One thing that is not as it was written.
    package struct Problem: Hashable, Sendable, CustomStringConvertible {
        package let segment: String
        package let position: UInt64
        package let offset: UInt64
        package let reason: String

        package var description: String { "segment \(segment), position \(position), offset \(offset): \(reason)" }

        init(segment: String, position: UInt64, offset: UInt64, reason: String) {
            self.segment = segment
            self.position = position
            self.offset = offset
            self.reason = reason
        }

        /// What is damaged, when the error says that something is.
        init?(_ error: LogError) {
            guard case .damaged(let segment, let position, let offset, let reason) = error else { return nil }
            self.init(segment: segment, position: position, offset: offset, reason: reason)
        }
    }

    /// Checks every header, checksum, frame and record length, the density of positions and the chain of roots.
    ///
    /// - Parameters:
    ///   - inspect: called with each record and its position; what it returns is reported as a problem.
    ///   - progress: called after each segment with the bytes checked so far, and of all segments.
    package static func verify(
        _ storage: any LogStorage, inspect: (UInt64, [UInt8]) -> String? = { _, _ in nil },
        progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
    ) throws(LogError) -> Report {
        var report = Report()
        var frontier = MerkleFrontier()
        let mark = try LogRecovery.wrap { () throws(StorageError) in try CleanMark.read(from: storage) }
        let firsts = try LogRecovery.segmentPositions(storage)
        let total = try LogRecovery.wrap { () throws(StorageError) in
            var total: UInt64 = 0
            for first in firsts {
                total += try storage.open(SegmentHeader.fileName(firstPosition: first), isWritable: false).size()
            }
            return total
        }
        for (index, first) in firsts.enumerated() {
            do throws(LogError) {
                let header = try LogRecovery.header(first, storage)
                try verify(header, isNewest: index == firsts.count - 1, storage, &frontier, &report, inspect)
            } catch {
                guard let problem = Problem(error) else { throw error }
                report.problems.append(problem)
            }
            report.segments += 1
            progress(report.storedBytes, total)
        }
        if let mark, mark > frontier.count, report.problems.isEmpty {
            let newest = SegmentHeader.fileName(firstPosition: firsts.last ?? 1)
            let missing = LogRecovery.shortened(mark, newest, frontier.count, offset: report.newestEnd)
            if let problem = Problem(missing) { report.problems.append(problem) }
        }
        report.records = frontier.count
        report.rootHash = frontier.root.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
        return report
    }

    private static func verify(
        _ header: SegmentHeader, isNewest: Bool, _ storage: any LogStorage, _ frontier: inout MerkleFrontier,
        _ report: inout Report, _ inspect: (UInt64, [UInt8]) -> String?
    ) throws(LogError) {
        let name = header.fileName
        guard header.firstPosition == frontier.count + 1 else {
            throw .damaged(
                segment: name, position: frontier.count + 1, offset: 0,
                reason: "positions \(frontier.count + 1) to \(header.firstPosition) do not follow each other")
        }
        guard header.frontier == frontier else {
            throw .damaged(
                segment: name, position: header.firstPosition, offset: 0,
                reason: "the Merkle root of all records before it does not match")
        }
        var found: [Problem] = []
        var tree = frontier
        var frames = 0
        var rawBytes: UInt64 = 0
        let (scan, end) = try LogRecovery.wrap { () throws(StorageError) in
            let file = try storage.open(name, isWritable: false)
            var scan = try SegmentScan(name: name, file: file, firstPosition: header.firstPosition)
            let end = try scan.walk { frame, offset, records in
                frames += 1
                rawBytes += UInt64(frame.rawByteCount)
                for record in records {
                    tree.append(record)
                    if let reason = inspect(tree.count, record) {
                        found.append(Problem(segment: name, position: tree.count, offset: offset, reason: reason))
                    }
                }
            }
            return (scan, end)
        }
        frontier = tree
        report.frames += frames
        report.rawBytes += rawBytes
        report.storedBytes += scan.offset
        report.newestEnd = scan.offset
        report.problems += found
        // The newest frame may be being written at this very moment: only what follows it tells it from damage.
        let isTorn = try LogRecovery.wrap { () throws(StorageError) in try !scan.hasFrameBeyondEnd() }
        if case .invalid(let reason) = end, !(isNewest && isTorn) {
            throw .damaged(segment: name, position: scan.nextPosition, offset: scan.offset, reason: reason)
        }
    }
}
