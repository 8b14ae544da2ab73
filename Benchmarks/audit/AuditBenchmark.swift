import Audit
import Domain
import EventLog
import EventStore
import Foundation
import Logging
import TestSupport

/// What proofs cost: the tree's part of a write, growing tiles behind the writer, proofs, exports and their verification.
@main
struct AuditBenchmark {
    private static let frames = 2_000
    private static let recordsInFrame = 128
    private static let proofs = 20_000

    static func main() async throws {
        try await withDirectory { @Sendable directory in
            let records = makeRecords()
            let log = try await write(records, to: directory + "/log")
            let tree = try await grow(log, records, in: directory + "/audit/tile")
            try await prove(tree, count: UInt64(records.count))
            try await export(log, tree, records, in: directory + "/audit")
        }
    }

    /// Events of random commands, over and over: what is measured depends on their size alone.
    private static func makeRecords() -> [[UInt8]] {
        var generator = LogGenerator(seed: 1)
        let some = generator.events(4_096).map { EventCodec.encode($0.event) }
        return (0..<frames * recordsInFrame).map { some[$0 % some.count] }
    }

    /// Each frame is one write and one fdatasync; the tree is measured again by itself.
    private static func write(_ records: [[UInt8]], to directory: String) async throws -> FileLogBackend {
        let (log, _) = try EventLog.open(
            try PosixLogStorage(directory: directory), logger: Logger(label: "benchmark"))
        let backend = FileLogBackend(log)
        let appending = try await seconds {
            for start in stride(from: 0, to: records.count, by: recordsInFrame) {
                _ = try await backend.append(Array(records[start..<start + recordsInFrame]))
            }
        }
        var frontier = MerkleFrontier()
        let hashing = try await seconds { for record in records { frontier.append(record) } }
        precondition(frontier.count == UInt64(records.count))
        let share = 100 * hashing / appending
        show("appended", "\(rate(records.count, appending)) records/s, in frames of \(recordsInFrame)")
        show("the tree's part of that", "\(share.formatted(.number.precision(.fractionLength(1)))) %")
        return backend
    }

    private static func grow(
        _ log: FileLogBackend, _ records: [[UInt8]], in directory: String
    ) async throws -> TileTree {
        var frontier = MerkleFrontier()
        for record in records { frontier.append(record) }
        let tree = TileTree(log: log, directory: directory, anchor: frontier)
        let growing = try await seconds { try await tree.grow() }
        show("tiles grown from the log", "\(rate(records.count, growing)) records/s")
        return tree
    }

    private static func prove(_ tree: TileTree, count: UInt64) async throws {
        var random = SeededRandom(seed: 2)
        for (name, isInclusion) in [("inclusion proof", true), ("consistency proof", false)] {
            var times: [Double] = []
            for _ in 0..<proofs {
                let index = UInt64.random(in: 1..<count, using: &random)
                times.append(
                    try await seconds {
                        _ =
                            isInclusion
                            ? try await tree.inclusionProof(of: index, in: count)
                            : try await tree.consistencyProof(from: index, to: count)
                    })
            }
            times.sort()
            let (half, most) = (times[times.count / 2] * 1e6, times[times.count * 99 / 100] * 1e6)
            show(name + " of \(count) records", "p50 \(Int(half)) us, p99 \(Int(most)) us")
        }
    }

    /// The run with the most events: what is exported of it, and what its verification reads.
    private static func export(
        _ log: FileLogBackend, _ tree: TileTree, _ records: [[UInt8]], in directory: String
    ) async throws {
        var counts: [RunID: Int] = [:]
        for record in records.prefix(4_096) {
            if let run = try EventCodec.decode(record).runID { counts[run, default: 0] += 1 }
        }
        guard let run = counts.max(by: { $0.value < $1.value })?.key else { return }
        let keeper = try CheckpointKeeper(
            tree: tree, files: AuditFiles(directory), witnesses: [], now: { Timestamp(microseconds: 0) },
            logger: Logger(label: "benchmark"))
        let exporter = AuditExporter(log: log, tree: tree, keeper: keeper)
        for format in ExportFormat.allCases {
            let before = try residentBytes()
            let written = Written()
            let exporting = try await seconds {
                try await exporter.export(run: run, from: Position(1), after: nil, as: format) { await written.add($0) }
            }
            let (byteCount, most) = await (written.byteCount, written.residentMax)
            show(
                "export as \(format.rawValue)",
                "\(megabytes(byteCount, exporting)) MB/s of \(byteCount / 1_000_000) MB, "
                    + "memory + \(max(0, most - before) / 1_000_000) MB")
        }
    }

    private actor Written {
        private(set) var byteCount = 0
        private(set) var residentMax = 0
        private var parts = 0

        func add(_ part: String) {
            byteCount += part.utf8.count
            parts += 1
            if parts % 16 == 0 { residentMax = max(residentMax, (try? AuditBenchmark.residentBytes()) ?? 0) }
        }
    }

    /// The process's memory that is in use (proc(5), statm).
    private static func residentBytes() throws -> Int {
        let statm = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        return (statm.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
    }

    private static func seconds(_ body: () async throws -> Void) async throws -> Double {
        let begin = ContinuousClock.now
        try await body()
        return begin.duration(to: .now) / .seconds(1)
    }

    private static func rate(_ count: Int, _ seconds: Double) -> String { "\(Int(Double(count) / seconds))" }

    private static func megabytes(_ count: Int, _ seconds: Double) -> String {
        "\(Int(Double(count) / seconds / 1_000_000))"
    }

    private static func show(_ name: String, _ value: String) { print("| \(name) | \(value) |") }
}
