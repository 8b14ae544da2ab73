import Domain
import EventStore
import Foundation
import GRDB
import Logging
import Projections
import TestSupport
import Testing

/// Damage of the read models' file is found, and made good from the log without a restart.
@Suite struct IntegrityTests {
    private static let pageBytes = 4096

    private static let logger: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }()

    @Test func wholeReadModelsHaveNoProblems() async throws {
        try await withDirectory { directory in
            let world = try await World(directory, eventCount: 800)
            #expect(try await world.projections.integrityProblems() == [])
            try await world.projections.replaceDamaged(from: world.store)
            #expect(try await world.projections.integrityProblems() == [])
        }
    }

    @Test func aGarbledPageIsFoundWhereverItIs() async throws {
        try await withDirectory { directory in
            let world = try await World(directory, eventCount: 800)
            let whole = try tableRows(world.url.path)
            try world.projections.close()
            let bytes = try Data(contentsOf: world.url)
            let pageCount = bytes.count / Self.pageBytes
            var found = 0
            for page in Set([0, 1, 2, pageCount - 1] + stride(from: 3, to: pageCount, by: max(1, pageCount / 10))) {
                let start = page * Self.pageBytes
                var damaged = bytes
                damaged.replaceSubrange(start..<start + Self.pageBytes, with: Self.noise(seed: UInt64(page)))
                try damaged.write(to: world.url)
                do {
                    let projections = try Projections.open(path: world.url.path, logger: Self.logger)
                    #expect(try await projections.integrityProblems() != [], "page \(page)")
                    try await projections.replaceDamaged(from: world.store)
                    #expect(try await projections.integrityProblems() == [], "page \(page)")
                    #expect(try tableRows(world.url.path) == whole, "page \(page)")
                    try projections.close()
                } catch {
                    #expect((error as? ProjectionError)?.code == .unreadable, "page \(page): \(error)")
                }
                found += 1
                try Projections.delete(path: world.url.path)
            }
            #expect(found > 8)
        }
    }

    @Test(arguments: [0, 1]) func aFileThatIsGarbledWhileItIsOpenIsMadeAgain(firstPage: Int) async throws {
        try await withDirectory { directory in
            let world = try await World(directory, eventCount: 800)
            let whole = try tableRows(world.url.path)
            // Everything is in the file, and nothing in the memory of a connection.
            try world.projections.close()
            let projections = try Projections.open(path: world.url.path, logger: Self.logger)
            let size = try Data(contentsOf: world.url).count
            let file = try FileHandle(forWritingTo: world.url)
            try file.seek(toOffset: UInt64(firstPage * Self.pageBytes))
            for page in firstPage..<size / Self.pageBytes { try file.write(contentsOf: Self.noise(seed: UInt64(page))) }
            try file.close()
            #expect(try await projections.integrityProblems() != [])
            try await projections.replaceDamaged(from: world.store)
            #expect(try await projections.integrityProblems() == [])
            #expect(try tableRows(world.url.path) == whole)
            #expect(!projections.isDamaged)
        }
    }

    @Test(arguments: [
        "UPDATE status_counts SET count = count + 1 WHERE counted = 'runs'",
        "DELETE FROM timeline WHERE sequence = 2",
        "DELETE FROM runs WHERE id = (SELECT min(run_id) FROM timeline)",
        "UPDATE meta SET position = 5",
    ])
    func rowsThatContradictOneAnotherAreFound(change: String) async throws {
        try await withDirectory { directory in
            let world = try await World(directory, eventCount: 800)
            try world.projections.close()
            let queue = try DatabaseQueue(path: world.url.path)
            try await queue.write { try $0.execute(sql: change) }
            try queue.close()
            let projections = try Projections.open(path: world.url.path, logger: Self.logger)
            #expect(try await projections.integrityProblems() != [])
        }
    }

    /// A value that no version has written is an error of its read, and no end of the process.
    @Test func aValueOfAnotherTypeIsDamage() async throws {
        try await withDirectory { directory in
            let world = try await World(directory, eventCount: 800)
            try world.projections.close()
            let queue = try DatabaseQueue(path: world.url.path)
            try await queue.writeWithoutTransaction { db in
                try db.execute(sql: "UPDATE runs SET position = -1, status = 'NONE'")
            }
            try queue.close()
            let projections = try Projections.open(path: world.url.path, logger: Self.logger)
            let error = await #expect(throws: ProjectionError.self) {
                for workspace in world.workspaces {
                    _ = try await projections.runs(RunFilter(), limit: 100, in: workspace)
                }
            }
            #expect(error?.code == .unreadable)
            #expect(projections.isDamaged)
        }
    }

    /// The new file is made of everything that is durable; what following brings after that is there already.
    @Test func followingPassesOverWhatANewFileHasAlready() async throws {
        try await withDirectory { directory in
            let world = try await World(directory, eventCount: 2000, applied: 500)
            try await world.projections.replaceDamaged(from: world.store)
            #expect(world.projections.position == world.store.durablePosition)
            let rows = try tableRows(world.url.path)
            for start in stride(from: 450, to: 2000, by: 100) {
                let page = try await world.store.read(from: Position(UInt64(start)), limit: 300)
                try await world.projections.apply(page)
            }
            #expect(try tableRows(world.url.path) == rows)
            #expect(try await world.projections.integrityProblems() == [])
        }
    }

    private static func noise(seed: UInt64) -> Data {
        var random = SeededRandom(seed: seed)
        return Data((0..<pageBytes).map { _ in UInt8.random(in: 0...255, using: &random) })
    }

    /// A log, and read models that have applied it.
    private struct World {
        let url: URL
        let store: EventStore
        let projections: Projections
        let workspaces: Set<WorkspaceName>

        init(_ directory: String, eventCount: Int, applied: Int = .max) async throws {
            var generator = LogGenerator(seed: 11)
            url = URL(filePath: directory + "/read-model.sqlite")
            store = await EventStore(backend: InMemoryLogBackend())
            projections = try Projections.open(path: url.path, logger: IntegrityTests.logger)
            let events = generator.events(eventCount).map(\.event)
            workspaces = Set(events.map(\.workspace))
            for start in stride(from: 0, to: events.count, by: 100) {
                let recorded = try await store.append(Array(events[start..<min(start + 100, events.count)]))
                if start < applied { try await projections.apply(recorded) }
            }
        }
    }
}
