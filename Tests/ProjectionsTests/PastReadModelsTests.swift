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
        try await withPast(recorded.map(\.event)) { past, _, directory in
            for position in positions + [.zero, past.newest] + positions.reversed() {
                let readModels = try await past.readModels(at: position)
                #expect(readModels.position == position)
                let path = "\(directory)/plain-\(position).sqlite"
                let plain = try Projections.open(path: path, logger: Self.logger)
                if position > .zero { try await plain.apply(Array(recorded[..<Int(position.value)])) }
                try plain.close()
                let (found, expected) = (try tableRows(readModels.path), try tableRows(path))
                #expect(found == expected, "position \(position), seed \(seed)")
                try Projections.delete(path: path)
            }
            #expect(past.kept.count <= 4)
        }
    }

    @Test func whatSomebodyHoldsIsNotTakenAway() async throws {
        var generator = LogGenerator(seed: 11)
        try await withPast(generator.events(200).map(\.event)) { past, _, _ in
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
        try await withPast(generator.events(200).map(\.event)) { past, _, directory in
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
        try await withPast(events.map(\.event)) { past, _, _ in
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
        _ events: [Event], _ body: @escaping @Sendable (PastReadModels, EventStore, String) async throws -> Void
    ) async throws {
        try await withDirectory { directory in
            let (store, live) = try await Self.followed(events, directory)
            var configuration = PastReadModelsConfiguration()
            configuration.modelsMax = 4
            let past = PastReadModels(
                store: store, live: live, directory: directory + "/as-of", configuration: configuration,
                logger: Self.logger)
            try await withThrowingTaskGroup { group in
                group.addTask { await past.run() }
                try await body(past, store, directory)
                group.cancelAll()
            }
        }
    }

    private static func followed(_ events: [Event], _ directory: String) async throws -> (EventStore, Projections) {
        let store = await EventStore(backend: InMemoryLogBackend())
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
