import Domain
import Logging
import Projections
import TestSupport
import Testing

/// A run read by its key, from memory or from the table, is what the newest batch shown left it as.
@Suite struct RunReadingTests {
    @Test func readersBesideTheWriterNeverSeeARunAsItWasBefore() async throws {
        var generator = LogGenerator(seed: 21)
        let events = generator.events(2500)
        let runs = events.compactMap { each in
            if case .runCreated = each.event.payload { RunID(each.event.stream.id) } else { nil }
        }
        try await withDirectory { directory in
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let projections = try Projections.open(path: directory + "/m.sqlite", logger: logger)
            try await withThrowingTaskGroup { group in
                for seed: UInt64 in 1...3 {
                    group.addTask {
                        var random = SeededRandom(seed: seed)
                        var newest: [RunID: RunRecord] = [:]
                        while projections.position.value < events.count {
                            let id = random.pick(runs)
                            for workspace in LogGenerator.workspaces {
                                guard let run = try await projections.run(id, in: workspace) else { continue }
                                #expect(run.workspace == workspace)
                                if let before = newest[id], before.status.isFinished {
                                    #expect(run == before, "a finished run has changed")
                                }
                                newest[id] = run
                            }
                            await Task.yield()
                        }
                    }
                }
                // Readers of lists hold connections while they wait for a thread: those by key may not wait for them.
                for seed: UInt64 in 1...12 {
                    group.addTask {
                        var random = SeededRandom(seed: seed)
                        while projections.position.value < events.count {
                            let page = try await projections.timeline(random.pick(runs), after: 0, limit: 8)
                            #expect(page.records.count <= 8)
                        }
                    }
                }
                var random = SeededRandom(seed: 9)
                var rest = events[...]
                while !rest.isEmpty {
                    let batch = Array(rest.prefix(Int.random(in: 1...40, using: &random)))
                    rest = rest.dropFirst(batch.count)
                    try await projections.apply(batch)
                    for id in Set(batch.map { RunID($0.event.stream.id) }) {
                        try await Self.expectAsListed(id, projections)
                    }
                }
                try await group.waitForAll()
            }
            for id in runs { try await Self.expectAsListed(id, projections) }
            try projections.close()
        }
    }

    /// Lists are read from the table.
    private static func expectAsListed(_ id: RunID, _ projections: Projections) async throws {
        for workspace in LogGenerator.workspaces {
            guard let run = try await projections.run(id, in: workspace) else { continue }
            let place = ListPlace(run.position.next, value: nil)
            let listed = try await projections.runs(RunFilter(), after: place, limit: 1, in: workspace).records
            #expect(listed == [run])
            let blocked = try await projections.actions(of: id).last
            if let blocked, let action = try await projections.action(blocked.id, of: id) { #expect(action == blocked) }
        }
    }
}
