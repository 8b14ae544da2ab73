import EventLog
import Synchronization
import Testing

/// What the log promises while the disk works.
@Suite struct EventLogTests {
    @Test func givesBackEveryRecordFromEveryPositionAcrossSegments() async throws {
        let written = try await WrittenLog(batches: 60)
        let segments = try written.segments
        #expect(segments.count > 5)
        let log = try openLog(written.storage).log
        let records = written.records
        #expect(log.durablePosition == UInt64(records.count))
        for start in 1...records.count {
            let page = try await log.read(from: UInt64(start), through: log.durablePosition, bytesMax: 64)
            #expect(!page.isEmpty && page.map(\.bytes) == Array(records[(start - 1)..<(start - 1 + page.count)]))
        }
        #expect(try await log.records() == records)
    }

    @Test func readsNothingBeyondTheLimitItIsGiven() async throws {
        let written = try await WrittenLog(batches: 10)
        let log = try openLog(written.storage).log
        for limit in 1...UInt64(written.records.count) {
            let page = try await log.read(from: 1, through: limit, bytesMax: .max)
            #expect(UInt64(page.count) <= limit)
        }
        #expect(try await log.read(from: 21, through: 20, bytesMax: 1000).isEmpty)
    }

    @Test func goesOnWhereItEndedAfterEveryRestart() async throws {
        let storage = MemoryLogStorage()
        for round in 1...20 {
            let (log, report) = try openLog(storage, segmentBytesMax: 4096 + 200)
            #expect(report.lastPosition == UInt64(2 * (round - 1)))
            #expect(try await log.append([[UInt8(round)], [0]]) == UInt64(2 * round - 1))
            if round % 2 == 0 { try await log.close() }
        }
        #expect(try await openLog(storage).log.records().count == 40)
    }

    @Test func keepsTheBatchesOfConcurrentAppendersWhole() async throws {
        let log = try openLog(MemoryLogStorage(), segmentBytesMax: 8192).log
        try await withThrowingTaskGroup { group in
            for writer in UInt8(0)..<50 {
                group.addTask { _ = try await log.append(Array(repeating: [writer], count: Int(writer % 4) + 1)) }
            }
            try await group.waitForAll()
        }
        let records = try await log.records()
        var index = 0
        while index < records.count {
            let size = Int(records[index][0] % 4) + 1
            #expect(records[index..<index + size].allSatisfy { $0 == records[index] })
            index += size
        }
    }

    @Test func refusesBatchesThatAreEmptyOrTooLargeAndKeepsNothingOfThem() async throws {
        let log = try openLog(MemoryLogStorage()).log
        for batch in [[], [[UInt8](repeating: 0, count: Frame.recordBytesMax + 1)]] {
            await #expect(throws: LogError.self) { try await log.append(batch) }
        }
        #expect(try await log.append([[1]]) == 1)
    }

    @Test func verifiesWhatItWroteAndNamesTheRoot() async throws {
        let written = try await WrittenLog(batches: 30)
        let inspected = Mutex([UInt64: [UInt8]]())
        let report = try LogVerifier.verify(
            written.storage,
            inspect: { position, record in
                inspected.withLock { $0[position] = record }
                return nil
            })
        #expect(report.problems.isEmpty && report.frames == 30)
        let seen = inspected.withLock { $0.sorted { $0.key < $1.key }.map(\.value) }
        #expect(seen == written.records && report.records == UInt64(seen.count))
        var frontier = MerkleFrontier()
        for record in seen { frontier.append(record) }
        #expect(report.rootHash == hex(frontier.root))
        let segments = try written.segments
        #expect(report.segments == segments.count)
    }

    @Test func walksThroughAllRecordsInOrderAndStopsWhereItIsTold() async throws {
        let written = try await WrittenLog(batches: 30)
        for count in [1, 7, written.records.count] {
            var seen: [[UInt8]] = []
            let problem = try LogVerifier.walk(written.storage) { position, record in
                seen.append(record)
                return position < UInt64(count)
            }
            #expect(problem == nil && seen == Array(written.records.prefix(count)))
        }
    }

    @Test func reportsWhatTheInspectionSays() async throws {
        let written = try await WrittenLog(batches: 4)
        let report = try LogVerifier.verify(
            written.storage, inspect: { position, _ in position == 3 ? "odd record" : nil })
        #expect(report.problems.map(\.position) == [3] && report.problems.map(\.reason) == ["odd record"])
    }
}
