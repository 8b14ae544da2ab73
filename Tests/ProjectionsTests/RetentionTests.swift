import Domain
import EventLog
import EventStore
import Foundation
import GRDB
import Logging
import Projections
import TestSupport
import Testing

/// A run that has expired is in no table, and the read models are the same before its records go and after.
@Suite struct RetentionTests {
    private static let logger: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }()

    /// A log of which many finished runs have expired, in that order.
    private static func expiredLog(seed: UInt64) async throws -> (backend: InMemoryLogBackend, gone: ExpiredStreams) {
        var generator = LogGenerator(seed: seed)
        let backend = InMemoryLogBackend()
        let store = await EventStore(backend: backend)
        var streams = ExpiredStreams()
        try await withDirectory { directory in
            let live = try Projections.open(path: directory + "/live.sqlite", logger: logger)
            for _ in 0..<6 {
                let events = generator.events(800)
                try await live.apply(try await store.append(events.map(\.event)))
                for run in try await expire(live, store, &generator, at: events[events.count - 1].event.time) {
                    streams.insert(run.expired.runID, run.expired.accessRequestIDs)
                    #expect(try await live.run(run.expired.runID, in: run.workspace) == nil)
                    #expect(try await live.expiry(of: run.expired.runID, in: run.workspace) != nil)
                }
            }
            #expect(streams.runCount > 20)
            // Something that is kept comes last, as in any log of which a newer segment has begun.
            try await live.apply(try await store.append(generator.events(1).map(\.event)))
        }
        return (backend, streams)
    }

    /// Has some finished runs expire, and returns them.
    private static func expire(
        _ live: Projections, _ store: EventStore, _ generator: inout LogGenerator, at time: Timestamp
    ) async throws -> [DueRun] {
        var gone: [DueRun] = []
        let due = try await live.runs(finishedBefore: Timestamp(microseconds: .max), after: nil, limit: 40)
        for (run, _) in due {
            let context = DecisionContext(
                time: time, workspace: run.workspace, actor: .retention, commandID: generator.newID(),
                idempotency: nil, traceparent: nil, settings: DecisionSettings())
            guard let expiry = try? generator.state.decide(.expireRun(run.expired), context) else { continue }
            try await live.apply(try await store.append(expiry))
            gone.append(run)
        }
        return gone
    }

    /// The rows of read models that are made anew of the log.
    private static func rebuilt(_ backend: InMemoryLogBackend) async throws -> [String: [String]] {
        let store = await EventStore(backend: backend)
        var rows: [String: [String]] = [:]
        try await withDirectory { directory in
            let path = directory + "/rebuilt.sqlite"
            let projections = try Projections.open(path: path, logger: logger)
            while projections.position < store.durablePosition {
                let page = try await store.read(from: projections.position.next, limit: 700)
                try #require(!page.isEmpty)
                try await projections.apply(page)
            }
            try projections.close()
            rows = try tableRows(path)
        }
        return rows
    }

    @Test(arguments: [1, 2, 3])
    func theRowsAreTheSameWithAllSomeAndNoneOfTheRecords(seed: UInt64) async throws {
        let (backend, gone) = try await Self.expiredLog(seed: seed)
        let whole = try await Self.rebuilt(backend)
        #expect(whole["runs"]?.isEmpty == false && whole["expired_runs"]?.isEmpty == false)
        let records = try await backend.read(from: 1, bytesMax: .max)
        var (random, expired) = (SeededRandom(seed: seed), [UInt64]())
        for (index, record) in records.enumerated() {
            let bytes = try #require(record.bytes)
            guard gone.includes(try EventCodec.decode(bytes)) else { continue }
            let stream = try #require(EventCodec.stream(of: bytes))
            #expect(gone.mayInclude(stream))
            expired.append(UInt64(index + 1))
        }
        #expect(expired.count > 200)
        await backend.prune(expired.filter { _ in random.chance(50) })
        try Self.expectSame(try await Self.rebuilt(backend), whole)
        await backend.prune(expired)
        try Self.expectSame(try await Self.rebuilt(backend), whole)
    }

    @Test func deletedTextIsRememberedUntilTheWriteAheadLogIsEmptied() async throws {
        var generator = LogGenerator(seed: 1)
        let store = await EventStore(backend: InMemoryLogBackend())
        try await withDirectory { directory in
            let path = directory + "/live.sqlite"
            let live = try Projections.open(path: path, logger: Self.logger)
            let events = generator.events(800)
            try await live.apply(try await store.append(events.map(\.event)))
            let gone = try await Self.expire(live, store, &generator, at: events[events.count - 1].event.time)
            try #require(!gone.isEmpty)
            #expect(try await live.hasDeletedText())
            let reader = try Self.openTransaction(path)
            await #expect(throws: ProjectionError.self) { try await live.purgeDeleted(through: live.position) }
            #expect(try await live.hasDeletedText())
            try reader.close()
            try await live.purgeDeleted(through: live.position)
            #expect(try await !live.hasDeletedText())
            try live.close()
        }
    }

    /// A connection that holds on to the rows of now until it is closed: no checkpoint empties the log meanwhile.
    private static func openTransaction(_ path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let reader = try DatabaseQueue(path: path, configuration: configuration)
        try reader.inDatabase { db in
            try db.execute(sql: "BEGIN")
            _ = try Row.fetchOne(db, sql: "SELECT * FROM meta")
        }
        return reader
    }

    private static func expectSame(_ found: [String: [String]], _ expected: [String: [String]]) throws {
        #expect(found.keys.sorted() == expected.keys.sorted())
        for (table, rows) in expected { #expect(found[table] == rows, "table \(table)") }
    }
}

/// Runs with a directory that is removed afterwards.
private func withDirectory(_ body: (String) async throws -> Void) async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "sluice-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try await body(directory)
}
