import Domain
import EventStore
import Foundation
import GRDB
import Logging
import Projections
import TestSupport
import Testing

/// DESIGN's first invariant: read models are what the log says, whoever folds it and in whatever batches.
@Suite struct RebuildTests {
    private static let eventCount = 50_000

    @Test func rebuildingFromFiftyThousandMixedEventsGivesTheSameRows() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = LogGenerator(seed: seed)
        let events = generator.events(Self.eventCount)
        try await withDirectory { directory in
            let path = directory + "/read-model.sqlite"
            let first = try await Self.fold(events, path, batchSizes: SeededRandom(seed: seed), 1...400)
            try Self.expectToAgree(path, with: generator.state)
            let before = try tableRows(path)
            try first.close()
            try Projections.delete(path: path)
            let second = try await Self.fold(events, path, batchSizes: SeededRandom(seed: seed &+ 1), 1...3000)
            let after = try tableRows(path)
            try second.close()
            #expect(before.keys.sorted() == after.keys.sorted(), "seed \(seed)")
            for (table, rows) in before { #expect(after[table] == rows, "table \(table), seed \(seed)") }
            #expect(before["timeline"].map { $0.count > Self.eventCount / 4 } == true)
        }
    }

    /// Stopped at any batch and opened again, following goes on and comes to the same rows.
    @Test func goesOnAfterEveryRestart() async throws {
        var generator = LogGenerator(seed: 7)
        let events = generator.events(2000)
        try await withDirectory { directory in
            let (whole, parts) = (directory + "/whole.sqlite", directory + "/parts.sqlite")
            try await Self.fold(events, whole, batchSizes: SeededRandom(seed: 1), 1...100).close()
            for start in stride(from: 0, to: events.count, by: 100) {
                let projections = try Projections.open(path: parts, logger: Self.logger)
                #expect(projections.position.value == UInt64(start))
                try await projections.apply(Array(events[start..<min(start + 100, events.count)]))
                try projections.close()
            }
            #expect(try tableRows(whole) == tableRows(parts))
        }
    }

    @Test func aReadModelAheadOfItsLogIsRefusedWithWhatToDo() async throws {
        var generator = LogGenerator(seed: 3)
        let events = generator.events(50)
        try await withDirectory { directory in
            let projections = try await Self.fold(
                events, directory + "/m.sqlite", batchSizes: SeededRandom(seed: 1), 10...10)
            let store = await EventStore(backend: InMemoryLogBackend())
            let error = await #expect(throws: ProjectionError.self) { try await projections.follow(store) }
            #expect(error?.code == .aheadOfLog && error?.description.contains("backup") == true)
        }
    }

    @Test func readersWaitForAPositionAndAreToldWhenItCannotCome() async throws {
        var generator = LogGenerator(seed: 4)
        let events = generator.events(500).map(\.event)
        try await withDirectory { directory in
            let projections = try Projections.open(path: directory + "/m.sqlite", logger: Self.logger)
            let store = await EventStore(backend: InMemoryLogBackend())
            try await withThrowingTaskGroup { group in
                group.addTask { try await projections.follow(store) }
                for start in stride(from: 0, to: events.count, by: 50) {
                    let recorded = try await store.append(Array(events[start..<min(start + 50, events.count)]))
                    try await projections.reach(try #require(recorded.last).position)
                    #expect(projections.position == recorded.last?.position)
                }
                try await store.close()
                try await group.next()
            }
            let error = await #expect(throws: ProjectionError.self) {
                try await projections.reach(store.durablePosition.next)
            }
            #expect(error?.code == .stopped)
        }
    }

    private static let logger: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }()

    @discardableResult
    private static func fold(
        _ events: [RecordedEvent], _ path: String, batchSizes: SeededRandom, _ sizes: ClosedRange<Int>
    ) async throws -> Projections {
        var random = batchSizes
        let projections = try Projections.open(path: path, logger: logger)
        var start = 0
        while start < events.count {
            let end = min(events.count, start + Int.random(in: sizes, using: &random))
            try await projections.apply(Array(events[start..<end]))
            start = end
        }
        return projections
    }

    /// The write side and the read side have come to the same, each by its own fold.
    private static func expectToAgree(_ path: String, with state: ActiveState) throws {
        let queue = try DatabaseQueue(path: path)
        let unfinished = try queue.read { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM runs WHERE status NOT IN ('COMPLETED', 'FAILED')")
        }
        #expect(unfinished == state.runs.count)
        let resources = try queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM resources") }
        #expect(resources == state.resources.count)
        let keys = try queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM api_keys") }
        #expect(keys == state.apiKeys.count)
    }

}
