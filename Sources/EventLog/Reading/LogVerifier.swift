import Dispatch
import Synchronization

/// Reads a whole log and checks all that can be checked without knowing what the records say.
package enum LogVerifier {
    package struct Report: Hashable, Sendable {
        package fileprivate(set) var segments = 0
        package fileprivate(set) var frames = 0
        package fileprivate(set) var records: UInt64 = 0
        /// How many of them are hashes alone, because their run is not kept any more.
        package fileprivate(set) var prunedRecords: UInt64 = 0
        package fileprivate(set) var storedBytes: UInt64 = 0
        package fileprivate(set) var rawBytes: UInt64 = 0
        /// The RFC 6962 tree head of all records, lower-case hex.
        package fileprivate(set) var rootHash = ""
        package fileprivate(set) var problems: [Problem] = []
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

    /// How many segments are given out at once; that many or fewer processors work on them.
    private static let segmentsAtOnce = 32

    /// Checks every header, checksum, frame and record length, the density of positions and the chain of roots.
    ///
    /// A segment's header tells what was before it, so segments are checked beside each other, one on each processor.
    ///
    /// - Parameters:
    ///   - inspect: called with each record that is kept and its position, in no order and from several threads; what it returns is
    ///     reported as a problem.
    ///   - first: where the segment begins that the check begins with; its header is believed.
    ///   - progress: called now and then with the bytes checked so far, and of all these segments.
    package static func verify(
        _ storage: any LogStorage, from first: UInt64 = 1,
        inspect: @escaping @Sendable (UInt64, [UInt8]) -> String? = { _, _ in nil },
        progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
    ) throws(LogError) -> Report {
        var chain = try Chain(storage, from: first)
        let total = try chain.byteCount(storage)
        for start in stride(from: 0, to: chain.firsts.count, by: segmentsAtOnce) {
            let firsts = Array(chain.firsts[start..<min(start + segmentsAtOnce, chain.firsts.count)])
            for result in check(firsts, newest: chain.firsts.last, storage, inspect) {
                try chain.append(result)
                progress(chain.report.storedBytes, total)
            }
        }
        return chain.finished()
    }

    /// Goes through all records that are kept, in order, with the same checks, until `visit` answers `false`.
    ///
    /// - Parameter first: where the segment begins that the walk begins with; its header is believed.
    /// - Returns: the first thing that is not as it was written, as far as the walk came. What `visit` was given before
    ///   is right, unless the problem is that a segment does not follow on the one before it.
    package static func walk(
        _ storage: any LogStorage, from first: UInt64 = 1, _ visit: (UInt64, [UInt8]) -> Bool
    ) throws(LogError) -> Problem? {
        var chain = try Chain(storage, from: first)
        for first in chain.firsts {
            let result = Result { () throws(LogError) in
                try SegmentCheck(first, isNewest: first == chain.firsts.last, storage) { position, record in
                    visit(position, record) ? .fine : .stop
                }
            }
            if case .success(let check) = result, check.isStopped { return nil }
            try chain.append(result)
            if let problem = chain.report.problems.first { return problem }
        }
        return chain.finished().problems.first
    }

    /// The walk with a visitor that may fail: its error ends the walk, and is thrown.
    package static func forEachRecord(
        in storage: any LogStorage, from first: UInt64 = 1, _ visit: (UInt64, [UInt8]) throws -> Bool
    ) throws -> Problem? {
        var failure: (any Error)?
        let problem = try walk(storage, from: first) { position, record in
            do {
                return try visit(position, record)
            } catch {
                failure = error
                return false
            }
        }
        if let failure { throw failure }
        return problem
    }

    private static func check(
        _ firsts: [UInt64], newest: UInt64?, _ storage: any LogStorage,
        _ inspect: @escaping @Sendable (UInt64, [UInt8]) -> String?
    ) -> [Result<SegmentCheck, LogError>] {
        let results = Mutex([Int: Result<SegmentCheck, LogError>]())
        DispatchQueue.concurrentPerform(iterations: firsts.count) { index in
            let result = Result { () throws(LogError) in
                try SegmentCheck(firsts[index], isNewest: firsts[index] == newest, storage) { position, record in
                    inspect(position, record).map { .problem($0) } ?? .fine
                }
            }
            results.withLock { $0[index] = result }
        }
        return results.withLock { results in firsts.indices.compactMap { results[$0] } }
    }
}

/// Puts the checks of all segments together, oldest first.
private struct Chain {
    let firsts: [UInt64]
    private(set) var report = LogVerifier.Report()
    private let mark: UInt64?
    private var segments = SegmentChain()

    init(_ storage: any LogStorage, from first: UInt64) throws(LogError) {
        mark = try LogRecovery.wrap { () throws(StorageError) in try CleanMark.read(from: storage) }
        firsts = try LogRecovery.segmentPositions(storage).filter { $0 >= first }
        guard first > 1, let oldest = firsts.first else { return }
        do throws(LogError) {
            segments = SegmentChain(before: try LogRecovery.header(oldest, storage))
        } catch {
            // A damaged header is a problem of its segment, which the check of that finds again.
            guard LogVerifier.Problem(error) != nil else { throw error }
        }
    }

    func byteCount(_ storage: any LogStorage) throws(LogError) -> UInt64 {
        try LogRecovery.wrap { () throws(StorageError) in
            var total: UInt64 = 0
            for first in firsts {
                total += try storage.open(SegmentHeader.fileName(firstPosition: first), isWritable: false).size()
            }
            return total
        }
    }

    /// Takes up the next segment's check; damage becomes a problem of the report, any other error is thrown.
    mutating func append(_ result: Result<SegmentCheck, LogError>) throws(LogError) {
        report.segments += 1
        do throws(LogError) {
            let check = try result.get()
            try segments.follow(check.header)
            report.frames += check.frames
            report.rawBytes += check.rawBytes
            report.prunedRecords += check.prunedRecords
            report.storedBytes += check.end
            report.newestEnd = check.end
            report.problems += check.remarks
            try segments.append(check)
        } catch {
            guard let problem = LogVerifier.Problem(error) else { throw error }
            report.problems.append(problem)
        }
    }

    func finished() -> LogVerifier.Report {
        var report = report
        if let mark, mark > segments.frontier.count, report.problems.isEmpty {
            let newest = SegmentHeader.fileName(firstPosition: firsts.last ?? 1)
            let missing = LogRecovery.shortened(mark, newest, segments.frontier.count, offset: report.newestEnd)
            if let problem = LogVerifier.Problem(missing) { report.problems.append(problem) }
        }
        report.records = segments.frontier.count
        report.rootHash = segments.frontier.root.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
        return report
    }
}
