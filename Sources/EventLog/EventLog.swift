import Dispatch
package import Logging
import Metrics
import Synchronization

/// The log's asynchronous door: one writer, and readers that never wait for its disk.
package final class EventLog: Sendable {
    package struct Configuration: Hashable, Sendable {
        /// A segment that would grow beyond this is sealed and the next one begun.
        package var segmentBytesMax: UInt64 = 64 * 1024 * 1024

        package init() {}
    }

    private let writing: WritingActor
    private let reading: ReadingActor
    private let checking: CheckingActor
    private let pruning: PruningActor
    private let durable: Mutex<UInt64>

    private init(
        writing: WritingActor, reading: ReadingActor, checking: CheckingActor, storage: any LogStorage, durable: UInt64
    ) {
        self.writing = writing
        self.reading = reading
        self.checking = checking
        pruning = PruningActor(storage: storage, reading: reading)
        self.durable = Mutex(durable)
    }

    /// Recovers the log in `storage`, or begins a new one. Of sealed segments only the headers are read: see `checkSealed`.
    ///
    /// - Parameters:
    ///   - signed: the newest position that a signed checkpoint covers: a log that ends before it has lost events.
    ///   - progress: receives the bytes of the newest segment that are checked, and its size.
    /// - Returns: the log, and what recovery found and cut.
    /// - Throws: `LogError.damaged` when bytes that were durable are not as they were written.
    package static func open(
        _ storage: any LogStorage, configuration: Configuration = Configuration(), signed: UInt64 = 0, logger: Logger,
        progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
    ) throws(LogError) -> (EventLog, LogRecovery.Report) {
        let (tail, report) = try LogRecovery.open(storage, signed: signed, progress)
        if let torn = report.tornTail {
            logger.warning(
                "cut a torn tail that was never acknowledged",
                metadata: [
                    "segment": "\(torn.segment)", "offset": "\(torn.offset)", "bytes": "\(torn.byteCount)",
                ])
        }
        let writer = LogWriter(storage: storage, segmentBytesMax: configuration.segmentBytesMax, recovered: tail)
        let log = EventLog(
            writing: WritingActor(writer), reading: ReadingActor(LogReader(storage: storage)),
            checking: CheckingActor(storage: storage, newest: tail.firstPosition), storage: storage,
            durable: report.lastPosition)
        return (log, report)
    }

    /// The newest position that survives a crash; asking never waits for the disk.
    package var durablePosition: UInt64 { durable.withLock { $0 } }

    /// Appends the records as one frame; durable on return.
    ///
    /// - Returns: the position of the first.
    package func append(_ records: [[UInt8]]) async throws(LogError) -> UInt64 {
        let first = try await writing.append(records)
        durable.withLock { $0 = max($0, first + UInt64(records.count) - 1) }
        return first
    }

    /// Records from `position` on, none beyond `durable`, about `bytesMax` bytes of them and at least one frame.
    package func read(
        from position: UInt64, through durable: UInt64, bytesMax: Int
    ) async throws(LogError) -> [LogRecord] {
        try await reading.read(from: position, through: durable, bytesMax: bytesMax)
    }

    /// The number of rewrites of all segments together; it changes when something is pruned.
    package func editions() async throws(LogError) -> UInt64 { try await reading.editions() }

    /// Checks every byte of the segments that were sealed when the log was opened, one after another, on a thread of its
    /// own and with a pause after each.
    ///
    /// - Throws: `LogError.damaged` when something is not as it was written; `CancellationError` between two segments.
    package func checkSealed() async throws { try await checking.check() }

    /// The first position of the newest segment: everything before it is in sealed ones.
    package func newestSegment() async -> UInt64 { await writing.newestSegment }

    /// Has the next append begin a segment, so that what is in the newest one can be pruned.
    package func sealBeforeNextAppend() async { await writing.sealBeforeNextAppend() }

    /// Goes through the sealed segments, on a thread of its own and with pauses, and has hashes stand for the records that
    /// are to go. Every position and tree head stays as it is; the log's last record is in no sealed segment.
    ///
    /// - Parameter verdict: what is to become of a record at a position.
    /// - Throws: `LogError.damaged` when a segment is not as it was written; `CancellationError` between two segments.
    package func prune(
        _ policy: PruningPolicy, _ verdict: @escaping @Sendable (UInt64, [UInt8]) -> PruningPolicy.Verdict
    ) async throws -> PruningOutcome {
        try await pruning.prune(policy, through: durablePosition, verdict)
    }

    /// Marks the log as closed in order; nothing may be appended afterwards.
    package func close() async throws(LogError) { try await writing.close() }
}

/// Owns the writer on a thread of its own: fdatasync blocks.
private actor WritingActor {
    private let executor = BlockingExecutor(label: "sluice.log.write")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private var writer: LogWriter
    private let syncTimer = Timer(label: "sluice_log_append_seconds")
    private let bytesCounter = Counter(label: "sluice_log_bytes_total")
    private let framesCounter = Counter(label: "sluice_log_frames_total")

    init(_ writer: LogWriter) { self.writer = writer }

    func append(_ records: [[UInt8]]) throws(LogError) -> UInt64 {
        let start = DispatchTime.now().uptimeNanoseconds
        let (first, byteCount) = try writer.append(records)
        syncTimer.recordNanoseconds(Int64(DispatchTime.now().uptimeNanoseconds - start))
        bytesCounter.increment(by: byteCount)
        framesCounter.increment()
        return first
    }

    var newestSegment: UInt64 { SegmentHeader.firstPosition(fileName: writer.segment) ?? 1 }

    func sealBeforeNextAppend() { writer.sealsBeforeNext = true }

    func close() throws(LogError) {
        let position = writer.durablePosition
        let storage = writer.storage
        try LogRecovery.wrap { () throws(StorageError) in try CleanMark.write(position, to: storage) }
    }
}

/// Owns the reader on a thread of its own: reads never queue behind a sync.
private actor ReadingActor {
    private let executor = BlockingExecutor(label: "sluice.log.read")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private var reader: LogReader

    init(_ reader: LogReader) { self.reader = reader }

    func read(from position: UInt64, through durable: UInt64, bytesMax: Int) throws(LogError) -> [LogRecord] {
        try reader.read(from: position, through: durable, bytesMax: bytesMax)
    }

    func editions() throws(LogError) -> UInt64 {
        try LogListing(reader.storage).headers.reduce(0) { $0 + UInt64($1.edition) }
    }

    /// Puts a pruned segment in the old one's place: no read comes between that and forgetting where things were in it.
    func replace(_ segment: UInt64, by pruning: SegmentPruning) throws(LogError) {
        defer { reader.forget(segment) }
        try pruning.publish()
    }
}

/// Writes sealed segments anew, with no hurry.
private actor PruningActor {
    private let executor = BlockingExecutor(label: "sluice.log.prune")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let storage: any LogStorage
    private let reading: ReadingActor

    init(storage: any LogStorage, reading: ReadingActor) {
        self.storage = storage
        self.reading = reading
    }

    func prune(
        _ policy: PruningPolicy, through durable: UInt64,
        _ verdict: @escaping @Sendable (UInt64, [UInt8]) -> PruningPolicy.Verdict
    ) async throws -> PruningOutcome {
        // One that begins beyond what is durable may still be given up.
        let firsts = try LogRecovery.segmentPositions(storage).filter { $0 <= durable }
        var outcome = PruningOutcome()
        for (first, next) in zip(firsts, firsts.dropFirst()) {
            let begin = ContinuousClock.now
            let pruning = try SegmentPruning(first, before: try LogRecovery.header(next, storage), in: storage)
            let prepared = try pruning.prepare(policy, verdict)
            if prepared.segments > 0 { try await reading.replace(first, by: pruning) }
            outcome += prepared
            // Nobody waits for it: it takes half of one processor at most.
            try await Task.sleep(for: begin.duration(to: .now))
        }
        return outcome
    }
}

/// Reads sealed segments again, with no hurry.
private actor CheckingActor {
    private let executor = BlockingExecutor(label: "sluice.log.check")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private static let retryInterval = Duration.seconds(1)

    private let storage: any LogStorage
    private let newest: UInt64

    init(storage: any LogStorage, newest: UInt64) {
        self.storage = storage
        self.newest = newest
    }

    func check() async throws {
        let sealed = try await waiting { () throws(LogError) in try LogRecovery.segmentPositions(self.storage) }
            .filter { $0 < newest }
        var chain = SegmentChain()
        for first in sealed {
            let begin = ContinuousClock.now
            try chain.append(
                try await waiting { () throws(LogError) in
                    try SegmentCheck(first, isNewest: false, self.storage) { _, _ in .fine }
                })
            // Nobody waits for it: it takes half of one processor at most.
            try await Task.sleep(for: begin.duration(to: .now))
        }
        guard !sealed.isEmpty else { return }
        try chain.follow(
            try await waiting { () throws(LogError) in try LogRecovery.header(self.newest, self.storage) })
    }

    /// Reads again, after a pause, as long as no file descriptor is free.
    private func waiting<Value>(_ read: () throws(LogError) -> Value) async throws -> Value {
        while true {
            do throws(LogError) {
                return try read()
            } catch {
                guard case .noDescriptors = error else { throw error }
            }
            try await Task.sleep(for: Self.retryInterval)
        }
    }
}
