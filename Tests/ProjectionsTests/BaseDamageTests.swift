import Domain
import EventStore
import Foundation
import Projections
import TestSupport
import Testing

/// Damage of bases: it never reaches a response, and the bases are made again.
@Suite struct BaseDamageTests {
    private static let eventCount = 2_000
    private static let interval: UInt64 = 200

    /// Bases of the last process serve; damaged ones, and those of another log, do not.
    @Test(arguments: [Damage.none, .page, .index, .header, .cut, .draft, .missing, .pruned, .otherLog])
    func basesAreTakenInAsTheyWereWrittenOrNotAtAll(_ damage: Damage) async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = LogGenerator(seed: seed)
        let recorded = generator.events(Self.eventCount)
        try await withDirectory { directory in
            let before = try await Self.makeBases(recorded, directory)
            try damage.apply(to: directory + "/as-of", before[before.count / 2])
            var other = LogGenerator(seed: seed &+ 1)
            let log = damage == .otherLog ? other.events(Self.eventCount) : recorded
            let backend = InMemoryLogBackend()
            if damage == .pruned { await backend.prune([]) }
            try await Self.run(log, directory, backend: backend) { past in
                for position in [2_000, 1_950, 1_003, 199] {
                    let position = min(Position(UInt64(position)), past.newest)
                    let rows = try await Self.askedRows(past, position)
                    if damage == .none { #expect(past.bases.count == before.count, "they serve the first question") }
                    let expected = try await PastReadModelsTests.plainRows(log, position, directory)
                    #expect(rows == expected, "position \(position), seed \(seed)")
                }
                try await Self.complete(past)
            }
            #expect(try Self.bases(directory).count == before.count)
        }
    }

    /// Read models that were made while their base was whole serve nothing once it is damaged, not even as the beginning
    /// of others.
    @Test func readModelsOverABaseThatWasDamagedSinceAreMadeAgain() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = LogGenerator(seed: seed)
        let recorded = generator.events(Self.eventCount)
        try await withDirectory { directory in
            try await Self.run(recorded, directory) { past in
                try await Self.complete(past)
                let (before, after) = (Position(1_050), Position(1_100))
                _ = try await Self.askedRows(past, before)
                try Damage.everyPage.apply(to: directory + "/as-of", "800-1000.base")
                for position in [after, before] {
                    let rows = try await Self.askedRows(past, position, refusalsMax: 1)
                    let expected = try await PastReadModelsTests.plainRows(recorded, position, directory)
                    #expect(rows == expected, "position \(position), seed \(seed)")
                }
                try await Self.complete(past)
            }
        }
    }

    @Test func damageIsFoundAndMendedBeforeAQuestionMeetsIt() async throws {
        var generator = LogGenerator(seed: UInt64.random(in: 0...UInt64.max))
        let recorded = generator.events(1_000)
        try await withDirectory { directory in
            let name = try await Self.makeBases(recorded, directory)[1]
            try Damage.somePages(every: 100_000).apply(to: directory + "/as-of", name)
            let damaged = try Self.contents(directory, name)
            try await Self.run(recorded, directory) { past in
                try await PastReadModelsTests.becomes { (try? Self.contents(directory, name)) != damaged }
                try await Self.complete(past)
                let rows = try await Self.askedRows(past, Position(450), refusalsMax: 0)
                let expected = try await PastReadModelsTests.plainRows(recorded, Position(450), directory)
                #expect(rows == expected)
            }
        }
    }

    /// Each question meets the damage of a base once at most, whatever else is made at the same time.
    @Test func concurrentQuestionsOverDamagedBasesGetTheRowsOfTheLog() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var (generator, random) = (LogGenerator(seed: seed), SeededRandom(seed: seed))
        let recorded = generator.events(Self.eventCount)
        let positions = Set((0..<24).map { _ in UInt64.random(in: 300...UInt64(Self.eventCount), using: &random) })
        try await withDirectory { directory in
            let damaged = try await Self.makeBases(recorded, directory)[2..<5]
            for name in damaged { try Damage.somePages(every: 4_999).apply(to: directory + "/as-of", name) }
            var expected: [UInt64: [String: [String]]] = [:]
            for position in positions {
                expected[position] = try await PastReadModelsTests.plainRows(recorded, Position(position), directory)
            }
            try await Self.run(recorded, directory) { [expected] past in
                try await withThrowingTaskGroup { group in
                    for (position, rows) in expected {
                        group.addTask {
                            let found = try await Self.askedRows(past, Position(position), refusalsMax: damaged.count)
                            #expect(found == rows, "position \(position), seed \(seed)")
                        }
                    }
                    try await group.waitForAll()
                }
                try await Self.complete(past)
                for position in expected.keys.shuffled().prefix(6) {
                    let found = try await Self.askedRows(past, Position(position), refusalsMax: damaged.count)
                    #expect(found == expected[position], "position \(position), seed \(seed)")
                }
            }
        }
    }

    private static func contents(_ directory: String, _ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: "\(directory)/as-of/\(name)"))
    }

    /// The names of the bases that are there, oldest first.
    private static func bases(_ directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory + "/as-of").filter { $0.hasSuffix(".base") }
            .sorted { $0.localizedStandardCompare($1) == .orderedAscending }
    }

    /// The names of the bases that a process over this log leaves.
    private static func makeBases(_ recorded: [RecordedEvent], _ directory: String) async throws -> [String] {
        try await run(recorded, directory) { past in try await complete(past) }
        return try bases(directory)
    }

    private static func run(
        _ recorded: [RecordedEvent], _ directory: String, backend: InMemoryLogBackend = InMemoryLogBackend(),
        _ body: @escaping @Sendable (PastReadModels) async throws -> Void
    ) async throws {
        try await PastReadModelsTests.withPast(
            recorded.map(\.event), directory, backend: backend, interval: interval, body)
    }

    /// Returns when there is a base at every interval.
    private static func complete(_ past: PastReadModels) async throws {
        try await PastReadModelsTests.becomes {
            past.bases.last.map { $0.value + interval > past.newest.value } ?? false
        }
    }

    /// The rows of the position, which a client asks for again where it is told to; their file is whole.
    ///
    /// - Parameter refusalsMax: how often the client may be told that the read models are damaged.
    private static func askedRows(
        _ past: PastReadModels, _ position: Position, refusalsMax: Int = 1
    ) async throws -> [String: [String]] {
        var refusals = 0
        while true {
            do {
                let readModels = try await past.readModels(at: position)
                #expect(readModels.position == position)
                let problems = try await readModels.integrityProblems()
                if problems.isEmpty { return try tableRows(readModels.path) }
            } catch let error as ProjectionError where error.code == .historyBusy {
                await Task.yield()
                continue
            } catch let error as ProjectionError where error.code == .unreadable {
                // Counted below.
            }
            refusals += 1
            try #require(refusals <= refusalsMax, "the damage of position \(position) stays")
        }
    }
}

/// What may have become of the bases of the last process.
enum Damage: Hashable, Sendable {
    case none, page, index, header, cut, draft, missing, pruned, otherLog
    /// While the file is open.
    case everyPage
    case somePages(every: Int)

    func apply(to directory: String, _ name: String) throws {
        let path = "\(directory)/\(name)"
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        switch self {
        case .none, .pruned, .otherLog: return
        case .page: bytes[120] ^= 4
        case .index: bytes[bytes.count - 9] ^= 4
        case .header: bytes[20] ^= 4
        case .cut: bytes.removeLast(50)
        case .draft:
            // A process that was killed while it made a base.
            try Data(bytes.prefix(500)).write(to: URL(fileURLWithPath: "\(directory)/base.draft"))
            try Data(bytes).write(to: URL(fileURLWithPath: "\(directory)/making-1.sqlite"))
            return
        case .missing: return try FileManager.default.removeItem(atPath: path)
        case .everyPage: Self.flip(&bytes, every: 90)
        case .somePages(let distance): Self.flip(&bytes, every: distance)
        }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        defer { try? file.close() }
        try file.write(contentsOf: bytes)
        try file.truncate(atOffset: UInt64(bytes.count))
    }

    /// Flips bytes of pages, and none of the header and the index.
    private static func flip(_ bytes: inout [UInt8], every distance: Int) {
        for place in stride(from: 100, to: bytes.count - 2_000, by: distance) { bytes[place] ^= 1 }
    }
}
