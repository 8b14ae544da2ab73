import EventLog
import Synchronization

/// Any log directory is refused as it is, or gives a log that can be read, checked, appended to and opened again.
enum RecoveryFuzzing {
    static func run(_ input: [UInt8]) throws {
        var script = LogDirectoryScript(input)
        try script.run()
        try check(script.storage)
    }

    private static func check(_ storage: MemoryLogStorage) throws {
        let files = contents(storage)
        let before = try verify(storage)
        try promise(contents(storage) == files, "the verifier has changed a file")
        let report: LogRecovery.Report
        do {
            report = try LogRecovery.open(storage).1
        } catch {
            try promise(before.isDamaged, "a log that verifies cannot be opened: \(error)")
            try promise(contents(storage) == files, "a start that was refused has changed a file: \(error)")
            return
        }
        try checkRepeated(report, storage)
        let after = try verify(storage)
        try promise(
            after.isDamaged || after.isPruned || after.records.count == report.lastPosition,
            "the verifier sees another end")
        try promise(before.isDamaged || !after.isDamaged, "opening a log that verifies has damaged it")
        try checkReading(after, report.lastPosition, storage)
        try checkAppending(after, report.lastPosition, storage)
    }

    /// Opening again finds the same, and has nothing left to do.
    private static func checkRepeated(_ first: LogRecovery.Report, _ storage: MemoryLogStorage) throws {
        let files = contents(storage)
        let second = try LogRecovery.open(storage).1
        try promise(second.tornTail == nil && second.removedSegment == nil, "the second start repairs too: \(second)")
        try promise(
            second.lastPosition == first.lastPosition && second.segments == first.segments,
            "the second start finds another log: \(first), then \(second)")
        try promise(contents(storage) == files, "the second start changes a file")
    }

    /// What the reader gives is what the verifier saw, from wherever it begins and in pages of any size.
    private static func checkReading(_ verified: Verification, _ last: UInt64, _ storage: MemoryLogStorage) throws {
        // A header may claim any position; records there are as many as the files have bytes at most.
        guard last > 0, last < 100_000 else { return }
        for (start, bytesMax) in [(1, Int.max), (1, 1), (last, 1), ((last + 1) / 2, 100)] as [(UInt64, Int)] {
            var reader = LogReader(storage: storage)
            var records: [LogRecord] = []
            do {
                while start + UInt64(records.count) <= last {
                    let page = try reader.read(
                        from: start + UInt64(records.count), through: last, bytesMax: bytesMax)
                    try promise(!page.isEmpty, "an empty page before the end of the log")
                    records += page
                }
            } catch let error as LogError {
                try promise(verified.isDamaged, "a log that verifies cannot be read from \(start): \(error)")
                continue
            }
            try promise(start + UInt64(records.count) == last + 1, "the reader gives records beyond the end")
            try promise(
                verified.isDamaged || verified.isPruned
                    || records.map(\.bytes) == Array(verified.records.dropFirst(Int(start) - 1)),
                "the reader gives other records than the verifier saw, from \(start)")
        }
    }

    private static func checkAppending(_ verified: Verification, _ last: UInt64, _ storage: MemoryLogStorage) throws {
        guard var writer = try openedWriter(storage) else {
            throw BrokenPromise(description: "a log that was opened cannot be opened to append")
        }
        try promise(writer.durablePosition == last, "the writer goes on elsewhere")
        // Large enough that the first frame often begins a segment.
        let batches = [[[UInt8](repeating: 1, count: 200), [2]], [[3]]]
        var position = last
        for batch in batches {
            do {
                let first = try writer.append(batch).first
                try promise(first == position + 1, "a batch is appended at \(first), not \(position + 1)")
                position += UInt64(batch.count)
            } catch LogError.tooLarge where position >= Frame.positionMax - 1 {
                // There is no position left for it.
                return
            }
        }
        let report = try LogRecovery.open(storage).1
        try promise(report.lastPosition == position && report.tornTail == nil, "the appended frames are not there")
        let after = try verify(storage)
        try promise(verified.isDamaged || !after.isDamaged, "appending has damaged a log that verifies")
        try promise(
            after.isDamaged || after.records == verified.records + batches.flatMap { $0 },
            "other records than those before and the appended ones")
    }

    /// What the verifier says of a directory, and the records that it has seen.
    private struct Verification {
        var isDamaged = true
        /// Whether hashes stand for some records: then the others' places are not known here.
        var isPruned = false
        var records: [[UInt8]] = []
    }

    private static func verify(_ storage: MemoryLogStorage) throws -> Verification {
        let seen = Mutex([UInt64: [UInt8]]())
        var walked: [[UInt8]] = []
        do {
            let report = try LogVerifier.verify(
                storage,
                inspect: { position, record in
                    seen.withLock { $0[position] = record }
                    return nil
                })
            let problem = try LogVerifier.walk(storage) { _, record in
                walked.append(record)
                return true
            }
            try promise(report.problems.isEmpty == (problem == nil), "the walk and the verifier do not agree")
            guard report.problems.isEmpty else { return Verification() }
            let records = seen.withLock { $0 }
            guard report.prunedRecords == 0 else {
                try promise(
                    UInt64(walked.count) + report.prunedRecords == report.records, "the verifier miscounts")
                return Verification(isDamaged: false, isPruned: true, records: walked)
            }
            try promise(
                records.count == walked.count && walked.enumerated().allSatisfy { records[UInt64($0) + 1] == $1 },
                "the walk gives other records than the verifier")
            var tree = MerkleFrontier()
            for record in walked { tree.append(record) }
            let root = tree.root.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            try promise(report.rootHash == root && report.records == tree.count, "the verifier reports another tree")
            return Verification(isDamaged: false, records: walked)
        } catch let error as LogError {
            try promise(!error.description.isEmpty, "a refusal without a reason")
            return Verification()
        }
    }

    private static func contents(_ storage: MemoryLogStorage) -> [String: [UInt8]] {
        Dictionary(uniqueKeysWithValues: fileNames(storage).map { ($0, storage.bytes(of: $0)) })
    }
}
