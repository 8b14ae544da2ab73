import Domain
import Logging
import Projections
import TestSupport
import Testing

/// Lists of runs are the runs that match, in order, whatever index they are read from.
@Suite struct RunListTests {
    private static func withProjections(
        _ events: [RecordedEvent], _ body: (Projections) async throws -> Void
    ) async throws {
        try await withDirectory { directory in
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let projections = try Projections.open(path: directory + "/m.sqlite", logger: logger)
            var rest = events[...]
            while !rest.isEmpty {
                try await projections.apply(Array(rest.prefix(97)))
                rest = rest.dropFirst(97)
            }
            try await body(projections)
            try projections.close()
        }
    }

    private static func whole(
        _ filter: RunFilter, by order: ListOrder<RunField>, pages limit: Int, _ projections: Projections,
        in workspace: WorkspaceName = .default
    ) async throws -> [RunRecord] {
        var (runs, place): ([RunRecord], ListPlace?) = ([], nil)
        while true {
            let page = try await projections.runs(filter, by: order, after: place, limit: limit, in: workspace)
            runs += page.records
            guard page.hasMore, let last = page.last else { return runs }
            place = last.place(by: order.field)
        }
    }

    private static func matches(_ run: RunRecord, _ filter: RunFilter) -> Bool {
        (filter.agentID.map { $0 == run.agentID } ?? true) && (filter.userID.map { $0 == run.userID } ?? true)
            && (filter.conversationID.map { $0 == run.conversationID } ?? true)
            && (filter.status.map { $0 == run.status } ?? true) && (!filter.isPaused || run.status.isPaused)
            && (filter.updatedAfter.map { $0 <= run.updatedAt } ?? true)
            && (filter.updatedBefore.map { $0 > run.updatedAt } ?? true)
    }

    private static func precedes(_ left: RunRecord, _ right: RunRecord, by order: ListOrder<RunField>) -> Bool {
        let (first, second) = order.isDescending ? (right, left) : (left, right)
        func text(_ run: RunRecord) -> String {
            switch order.field {
            case .createdAt, .updatedAt: ""
            case .agentID: run.agentID
            case .userID: run.userID
            case .status: run.status.rawValue
            }
        }
        let (one, two) = (text(first), text(second))
        if one.utf8.lexicographicallyPrecedes(two.utf8) { return true }
        guard one.utf8.elementsEqual(two.utf8) else { return false }
        if order.field == .updatedAt, first.updatedAt != second.updatedAt { return first.updatedAt < second.updatedAt }
        return first.position < second.position
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func pagesOfEveryFilterAndOrderAreWhatMatchesInOrder(seed: UInt64) async throws {
        var generator = LogGenerator(seed: seed)
        try await Self.withProjections(generator.events(4000)) { projections in
            let newest = ListOrder(RunField.createdAt, isDescending: true)
            let all = try await Self.whole(RunFilter(), by: newest, pages: 1000, projections)
            try #require(all.count > 50)
            var random = SeededRandom(seed: seed)
            for _ in 0..<300 {
                let (model, other) = (random.pick(all), random.pick(all))
                var filter = RunFilter()
                if random.chance(40) { filter.agentID = model.agentID }
                if random.chance(30) { filter.userID = model.userID }
                if random.chance(20) { filter.conversationID = model.conversationID }
                if random.chance(30) { filter.status = model.status } else { filter.isPaused = random.chance(20) }
                if random.chance(25) { filter.updatedAfter = min(model.updatedAt, other.updatedAt) }
                if random.chance(25) { filter.updatedBefore = max(model.updatedAt, other.updatedAt) }
                let order = ListOrder(random.pick(RunField.allCases), isDescending: random.chance(50))
                let found = try await Self.whole(filter, by: order, pages: random.pick([1, 3, 50]), projections)
                let expected = all.filter { Self.matches($0, filter) }
                    .sorted { Self.precedes($0, $1, by: order) }
                #expect(found.map(\.id) == expected.map(\.id), "\(filter) by \(order)")
                #expect(try await projections.count(of: filter, in: .default) == expected.count)
            }
        }
    }

    /// A cursor can name a place outside of the range that the filter has by now.
    @Test(arguments: [true, false])
    func aPageOfARangeOfUpdatesFollowsItsPlaceWhereverThatIs(isDescending: Bool) async throws {
        var generator = LogGenerator(seed: 4)
        try await Self.withProjections(generator.events(1000)) { projections in
            let order = ListOrder(RunField.updatedAt, isDescending: isDescending)
            let all = try await Self.whole(RunFilter(), by: order, pages: 1000, projections)
            try #require(all.count > 10)
            for place in all.indices {
                for bound in all.indices {
                    var filter = RunFilter()
                    if isDescending {
                        filter.updatedBefore = all[bound].updatedAt
                    } else {
                        filter.updatedAfter = all[bound].updatedAt
                    }
                    let cursor = ListPlace(all[place].position, value: String(all[place].updatedAt.microseconds))
                    let plans = try await projections.plans {
                        let page = try await projections.runs(
                            filter, by: order, after: cursor, limit: 1000, in: .default)
                        let expected = all[(place + 1)...].filter { Self.matches($0, filter) }
                        #expect(page.records.map(\.id) == expected.map(\.id), "place \(place), bound \(bound)")
                    }
                    // SQLite searches by one bound of a side and steps over all that another excludes.
                    let sql = plans.map(\.sql).joined()
                    let bounds = ["(updated_at, position)", "updated_at < ?", "updated_at >= ?"]
                    #expect(bounds.count { sql.contains($0) } == 1, "\(sql)")
                }
            }
        }
    }

    @Test func aPageExaminesABoundedNumberOfRowsAndTheNextOneContinues() async throws {
        let events = Self.created(6000) { index in (agent: index == 3 ? "rare" : "usual", user: "u") }
        try await Self.withProjections(events) { projections in
            var filter = RunFilter()
            (filter.agentID, filter.userID) = ("rare", "u")
            let order = ListOrder(RunField.createdAt, isDescending: true)
            let first = try await projections.runs(filter, by: order, limit: 100, in: .default)
            #expect(first.records.isEmpty && first.hasMore && first.last != nil)
            let found = try await Self.whole(filter, by: order, pages: 100, projections)
            #expect(found.map(\.agentID) == ["rare"])
        }
    }

    @Test func aRangeOfCreationIsFoundByBisection() async throws {
        let events = Self.created(500) { _ in (agent: "a", user: "u") }
        try await Self.withProjections(events) { projections in
            for (first, end) in [(0, 500), (17, 18), (17, 17), (250, 499), (499, 500)] {
                var filter = RunFilter()
                filter.createdAfter = events[first].event.time
                filter.createdBefore = end < 500 ? events[end].event.time : Timestamp(microseconds: .max)
                let found = try await Self.whole(
                    filter, by: ListOrder(.userID, isDescending: false), pages: 60, projections)
                #expect(found.map(\.position) == events[first..<end].map(\.position), "from \(first) to \(end)")
            }
        }
    }

    @Test func wordsFindRunsOfTheirWorkspaceAlone() async throws {
        let events = Self.created(40) { index in (agent: "billing-agent", user: "ada\(index)@example.test") }
        try await Self.withProjections(events) { projections in
            func found(_ words: String, in workspace: WorkspaceName = .default) async throws -> [String] {
                var filter = RunFilter()
                try filter.set(.text, words)
                return try await projections.runs(filter, limit: 100, in: workspace).records.map(\.userID)
            }
            #expect(try await found("ADA7@example.test") == ["ada7@example.test"])
            #expect(try await found("agent ada7") == ["ada7@example.test"])
            for words in ["example.ada7", "ada7 ada8", "ada", "w64656661756c74"] {
                #expect(try await found(words).isEmpty, "\(words)")
            }
            #expect(try await found("billing").count == 40)
            let other = try #require(WorkspaceName("team-a"))
            #expect(try await found("billing", in: other).isEmpty)
            for syntax in [
                "ada7 OR ada8", "user : ada7", "\"ad", "a*\" OR \"*", "NEAR(ada7 ada8)", "{user}:x", "ad^a7",
            ] {
                #expect(try await found(syntax).isEmpty, "\(syntax)")
            }
            #expect(try await found("\"ada7\"") == ["ada7@example.test"])
        }
    }

    /// Symbols, alphabetic ones among them, and a vowel sign that FTS5 finds no word in.
    @Test(arguments: ["---", "\u{1f4a5}", "\u{24b6}", "\u{19b0}", "\u{24b6} \u{24b7}", "C++", "\u{24b6} x"])
    func aSearchFindsTheRunsOfAnyName(name: String) async throws {
        let events = Self.created(6) { index in
            index < 3 ? (agent: "payer", user: name) : (agent: "\(name) payer", user: "u")
        }
        try await Self.withProjections(events) { projections in
            var filter = RunFilter()
            try filter.set(.text, "payer")
            let order = ListOrder(RunField.createdAt, isDescending: true)
            for (agent, user) in [("payer", name), ("\(name) payer", "u")] {
                (filter.agentID, filter.userID) = (agent, user)
                #expect(try await Self.whole(filter, by: order, pages: 2, projections).count == 3)
                #expect(try await projections.count(of: filter, in: .default) == 3)
            }
        }
    }

    @Test func aSearchWithoutAWordOrWithTooManyIsRefused() {
        let many = [String(repeating: "a ", count: 17), String(repeating: "a", count: 257)]
        for words in ["", "--", "\u{0}", "\u{24b6} \u{1f4a5}"] + many {
            var filter = RunFilter()
            #expect(throws: InvalidFilter.self) { try filter.set(.text, words) }
        }
    }

    /// Runs of the default workspace, each a second after the one before.
    private static func created(
        _ count: Int, _ fields: (Int) -> (agent: String, user: String)
    ) -> [RecordedEvent] {
        var generator = LogGenerator(seed: 1)
        return (0..<count).map { index in
            let time = Timestamp(microseconds: 1_790_000_000_000_000 + Int64(index) * 1_000_000)
            let run: RunID = generator.newID()
            let (agent, user) = fields(index)
            let event = Event(
                id: generator.newID(), time: time, workspace: .default,
                stream: StreamID(kind: .run, id: run.value), streamSequence: 1, actor: .scheduler,
                causation: Causation(index: 0, idempotency: nil), traceparent: nil,
                timeline: TimelineMark(sequence: 1, serverDriven: false),
                payload: .runCreated(
                    RunCreated(
                        agentID: agent, agentUID: nil, userID: user, conversationID: nil, invokeURL: nil,
                        initialMessage: nil, deadline: time)))
            return RecordedEvent(position: Position(UInt64(index) + 1), event: event)
        }
    }
}
