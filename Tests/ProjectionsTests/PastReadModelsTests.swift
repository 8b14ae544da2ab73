import Domain
import EventStore
import Foundation
import Logging
import Projections
import TestSupport
import Testing

/// The read models of a past position are those that a fold up to there makes, whatever they were made from.
@Suite struct PastReadModelsTests {
    private static let eventCount = 6_000

    @Test func atEveryPositionTheyAreWhatTheLogSaysUpToThere() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = LogGenerator(seed: seed)
        let recorded = generator.events(Self.eventCount)
        var random = SeededRandom(seed: seed)
        let positions = (0..<12).map { _ in Position(UInt64.random(in: 0...UInt64(Self.eventCount), using: &random)) }
        try await withPast(recorded.map(\.event)) { past, directory in
            for position in positions + [.zero, past.newest] + positions.reversed() {
                let readModels = try await past.readModels(at: position)
                #expect(readModels.position == position)
                let (found, expected) = (
                    try tableRows(readModels.path), try await Self.plainRows(recorded, position, directory)
                )
                #expect(found == expected, "position \(position), seed \(seed)")
            }
            #expect(past.kept.count <= 4)
        }
    }

    /// Over bases that come while questions do, and over what else is kept.
    @Test func overAnyBasesTheyAreWhatTheLogSaysUpToThere() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = LogGenerator(seed: seed)
        let recorded = generator.events(Self.eventCount)
        var random = SeededRandom(seed: seed)
        let positions = (0..<20).map { _ in Position(UInt64.random(in: 1...UInt64(Self.eventCount), using: &random)) }
        try await withPast(recorded.map(\.event), interval: 300) { past, directory in
            for position in positions + [past.newest] {
                let readModels = try await past.readModels(at: position)
                let (found, expected) = (
                    try tableRows(readModels.path), try await Self.plainRows(recorded, position, directory)
                )
                #expect(found == expected, "position \(position), bases \(past.bases), seed \(seed)")
            }
            try await Self.becomes { past.bases.last.map { $0.value + 300 > past.newest.value } ?? false }
            #expect(past.bases.count > Self.eventCount / 300 / 2, "all of it is recent")
        }
    }

    @Test func whatSomebodyHoldsIsNotTakenAway() async throws {
        var generator = LogGenerator(seed: 11)
        try await withPast(generator.events(200).map(\.event)) { past, _ in
            var held: [Projections] = []
            for position in 1...4 { held.append(try await past.readModels(at: Position(UInt64(position)))) }
            let error = await #expect(throws: ProjectionError.self) { try await past.readModels(at: Position(9)) }
            #expect(error?.code == .historyBusy)
            for (index, projections) in held.enumerated() {
                #expect(projections.position == Position(UInt64(index + 1)))
                let keys = try await projections.apiKeys(in: .default)
                #expect(keys.count <= index + 1)
            }
            held = []
            let position = try await past.readModels(at: Position(9)).position
            #expect(position == Position(9))
        }
    }

    @Test func whatIsForgottenIsHandedOutNoMoreAndGoneWhenNobodyHoldsIt() async throws {
        var generator = LogGenerator(seed: 14)
        try await withPast(generator.events(200).map(\.event)) { past, directory in
            var held: Projections? = try await past.readModels(at: Position(50))
            _ = try await past.readModels(at: Position(60))
            let old = try #require(held?.path)
            try await withThrowingTaskGroup { group in
                group.addTask { try await past.forget() }
                while !past.kept.isEmpty { await Task.yield() }
                let again = try await past.readModels(at: Position(50))
                #expect(again.path != old && again.position == Position(50))
                #expect(FileManager.default.fileExists(atPath: old), "somebody reads it")
                let keys = try await held?.apiKeys(in: .default)
                #expect(keys != nil)
                held = nil
                try await group.next()
                #expect(!FileManager.default.fileExists(atPath: old))
                #expect(past.kept == [Position(50)])
            }
        }
    }

    /// What is asked for is checked before anything is made, and goes through where there is room.
    @Test func whatWouldTakeTooMuchIsRefusedAtOnce() async throws {
        var generator = LogGenerator(seed: 16)
        let events = generator.events(3_000).map(\.event)
        try await withDirectory { directory in
            let (store, live) = try await Self.followed(events, directory)
            var configuration = PastReadModelsConfiguration()
            configuration.bytesMax = 200 * 1024
            // With nothing that makes any: a question that is let in waits.
            configuration.waitMax = .zero
            let past = PastReadModels(
                store: store, live: live, directory: directory + "/as-of", configuration: configuration,
                logger: Self.logger)
            let large = await #expect(throws: ProjectionError.self) { try await past.readModels(at: past.newest) }
            #expect(large?.code == .historyTooLarge && large?.description.contains("history-bytes-max") == true)
            let small = await #expect(throws: ProjectionError.self) { try await past.readModels(at: Position(9)) }
            #expect(small?.code == .historyBusy)
        }
    }

    @Test func whatIsForgottenLeavesNoBaseAndBasesComeAgain() async throws {
        var generator = LogGenerator(seed: 17)
        try await withPast(generator.events(2_000).map(\.event), interval: 200) { past, directory in
            try await Self.becomes { past.bases.count > 4 }
            try await past.forget()
            try await Self.becomes { past.bases.last.map { $0.value + 200 > past.newest.value } ?? false }
            let files = try FileManager.default.contentsOfDirectory(atPath: directory + "/as-of")
            #expect(files.filter { $0.hasSuffix(".base") }.count == past.bases.count)
        }
    }

    /// Drafts, and what was begun and not removed, are made of events as well.
    @Test func whatFailuresHaveLeftIsForgottenToo() async throws {
        var generator = LogGenerator(seed: 18)
        try await withPast(generator.events(200).map(\.event)) { past, directory in
            let left = ["base.draft", "making-9.sqlite", "making-9.sqlite-wal", "7-9.sqlite", "0-150.base"]
            var held: Projections? = try await past.readModels(at: Position(50))
            let old = try #require(held?.path)
            for name in left { try Data(name.utf8).write(to: URL(fileURLWithPath: "\(directory)/as-of/\(name)")) }
            try await withThrowingTaskGroup { group in
                group.addTask { try await past.forget() }
                let files = FileManager.default
                try await Self.becomes { !left.contains { files.fileExists(atPath: "\(directory)/as-of/\($0)") } }
                #expect(files.fileExists(atPath: old), "somebody reads it")
                let keys = try await held?.apiKeys(in: .default)
                #expect(keys != nil)
                held = nil
                try await group.next()
                #expect(try files.contentsOfDirectory(atPath: directory + "/as-of").isEmpty)
            }
        }
    }

    /// Beside a writer, readers and followers: they come to the rows that they had, in a file with nothing else in it.
    @Test func readModelsAreRenewedWhileTheyAreFollowedAndRead() async throws {
        var generator = LogGenerator(seed: 15)
        let events = generator.events(4_000).map(\.event)
        try await withDirectory { directory in
            let (store, live) = try await Self.followed(Array(events[..<1_000]), directory)
            try await withThrowingTaskGroup { group in
                group.addTask { try await live.follow(store) }
                group.addTask {
                    for start in stride(from: 1_000, to: events.count, by: 50) {
                        _ = try await store.append(Array(events[start..<min(start + 50, events.count)]))
                    }
                }
                group.addTask {
                    for _ in 0..<200 { _ = try await live.apiKeys(in: .default) }
                }
                for _ in 0..<3 { try await live.renew(from: store, through: store.durablePosition) }
                try await live.reach(Position(UInt64(events.count)))
                try await live.renew(from: store, through: Position(UInt64(events.count)))
                try await store.close()
                try await group.waitForAll()
            }
            try live.close()
            let plain = try Projections.open(path: directory + "/plain.sqlite", logger: Self.logger)
            try await plain.apply(
                events.enumerated().map {
                    RecordedEvent(position: Position(UInt64($0.offset + 1)), event: $0.element)
                })
            try plain.close()
            #expect(try tableRows(live.path) == tableRows(directory + "/plain.sqlite"))
            #expect(!FileManager.default.fileExists(atPath: live.path + ".new"))
        }
    }

    @Test func whoeverComesWithNobodyToMakeThemIsToldToComeAgain() async throws {
        var generator = LogGenerator(seed: 12)
        let events = generator.events(50).map(\.event)
        try await withDirectory { directory in
            let (store, live) = try await Self.followed(events, directory)
            var configuration = PastReadModelsConfiguration()
            configuration.waitMax = .zero
            configuration.ordersMax = 2
            let past = PastReadModels(
                store: store, live: live, directory: directory + "/as-of", configuration: configuration,
                logger: Self.logger)
            for position in [5, 5, 6, 7] {
                let error = await #expect(throws: ProjectionError.self) {
                    try await past.readModels(at: Position(UInt64(position)))
                }
                #expect(error?.code == .historyBusy)
            }
        }
    }

    @Test func aTimeIsThePositionOfTheLastEventUntilThen() async throws {
        var generator = LogGenerator(seed: 13)
        var newest = Timestamp(microseconds: 0)
        let events = generator.events(300).map { recorded in
            newest = max(newest, recorded.event.time)
            return RecordedEvent(position: recorded.position, event: recorded.event.at(newest))
        }
        try await withPast(events.map(\.event)) { past, _ in
            for index in stride(from: 0, to: events.count, by: 7) {
                let time = events[index].event.time
                let expected = events.last { $0.event.time <= time }?.position
                let (found, back) = (try await past.position(at: time), try await past.time(of: events[index].position))
                #expect(found == expected && back == time)
            }
            let (first, none) = (
                try await past.position(at: Timestamp(microseconds: 0)), try await past.time(of: .zero)
            )
            #expect(first == .zero && none == nil)
        }
    }

    /// Runs the body beside a log of those events, four models being kept at most.
    private func withPast(
        _ events: [Event], interval: UInt64 = 65_536,
        _ body: @escaping @Sendable (PastReadModels, String) async throws -> Void
    ) async throws {
        try await withDirectory { directory in
            try await Self.withPast(events, directory, interval: interval) { past in
                try await body(past, directory)
            }
        }
    }

    static func withPast(
        _ events: [Event], _ directory: String, backend: InMemoryLogBackend = InMemoryLogBackend(),
        interval: UInt64, _ body: @escaping @Sendable (PastReadModels) async throws -> Void
    ) async throws {
        try Projections.delete(path: directory + "/live.sqlite")
        let (store, live) = try await followed(events, directory, backend)
        var configuration = PastReadModelsConfiguration()
        configuration.modelsMax = 4
        configuration.interval = interval
        configuration.pause = .milliseconds(5)
        let past = PastReadModels(
            store: store, live: live, directory: directory + "/as-of", configuration: configuration, logger: logger)
        try await withThrowingTaskGroup { group in
            group.addTask { await past.run() }
            try await body(past)
            group.cancelAll()
        }
        try live.close()
    }

    /// The rows that a fold from the beginning makes.
    static func plainRows(
        _ recorded: [RecordedEvent], _ position: Position, _ directory: String
    ) async throws -> [String: [String]] {
        let path = "\(directory)/plain-\(position).sqlite"
        let plain = try Projections.open(path: path, logger: logger)
        if position > .zero { try await plain.apply(Array(recorded[..<Int(position.value)])) }
        try plain.close()
        let rows = try tableRows(path)
        try Projections.delete(path: path)
        return rows
    }

    static func becomes(_ condition: () -> Bool) async throws {
        while !condition() {
            try Task.checkCancellation()
            await Task.yield()
        }
    }

    private static func followed(
        _ events: [Event], _ directory: String, _ backend: InMemoryLogBackend = InMemoryLogBackend()
    ) async throws -> (EventStore, Projections) {
        let store = await EventStore(backend: backend)
        let live = try Projections.open(path: directory + "/live.sqlite", logger: logger)
        for start in stride(from: 0, to: events.count, by: 500) {
            try await live.apply(try await store.append(Array(events[start..<min(start + 500, events.count)])))
        }
        return (store, live)
    }

    private static let logger: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }()
}

extension Event {
    /// The same at another time: the writer's clock never goes back, the generator's may.
    fileprivate func at(_ time: Timestamp) -> Event {
        Event(
            id: id, time: time, workspace: workspace, stream: stream, streamSequence: streamSequence, actor: actor,
            causation: causation, traceparent: traceparent, timeline: timeline, payload: payload)
    }
}
