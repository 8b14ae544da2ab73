import Domain
import Logging
import Projections
import TestSupport
import Testing

/// Each combination of filter and order that is served is read from an index, in the order of the list.
///
/// The rule: SQLite executes no `SCAN` of a table and no `TEMP B-TREE`. Each table is entered by `SEARCH` with an index or
/// key whose first columns are given, and the search index by `MATCH`.
@Suite struct QueryPlanTests {
    private static let workspace = WorkspaceName.default
    private static let place = Position(500)
    private static let time = Timestamp(microseconds: 1_790_000_000_000_000)

    private static func withProjections(_ body: (Projections) async throws -> Void) async throws {
        try await withDirectory { directory in
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let projections = try Projections.open(path: directory + "/m.sqlite", logger: logger)
            var generator = LogGenerator(seed: 5)
            try await projections.apply(generator.events(400))
            try await body(projections)
            try projections.close()
        }
    }

    private static func isIndexed(_ step: String) -> Bool {
        if step.contains("TEMP B-TREE") { return false }
        if step.hasPrefix("SCAN ") { return step.contains("VIRTUAL TABLE INDEX") && step.contains(":M") }
        guard step.hasPrefix("SEARCH ") else { return true }
        return step.contains("?)") && (step.contains(" INDEX ") || step.contains(" PRIMARY KEY "))
    }

    private static func expectIndexes(
        _ projections: Projections, count: ClosedRange<Int>, _ body: () async throws -> Void
    ) async throws {
        let plans = try await projections.plans(of: body)
        #expect(count.contains(plans.count), "\(plans.count) statements")
        for plan in plans {
            #expect(!plan.steps.isEmpty)
            for step in plan.steps { #expect(isIndexed(step), "\(step) in \(plan.sql)") }
        }
    }

    /// A value of each filter. A new one does not compile without.
    private static func value(_ name: RunFilter.Name) -> String {
        switch name {
        case .agentID, .userID, .conversationID, .tool: "x-1"
        case .status: "PAUSED"
        case .createdAfter, .updatedAfter: "2020-01-01T00:00:00Z"
        case .createdBefore, .updatedBefore: "2040-01-01T00:00:00Z"
        case .error, .text: "card declined"
        }
    }

    /// Every set of filters that has this one as its first; all of them together are every set there is.
    private static func filters(beginning first: RunFilter.Name?) throws -> [RunFilter] {
        let names = RunFilter.Name.allCases
        guard let first, let index = names.firstIndex(of: first) else { return [RunFilter()] }
        let rest = names[(index + 1)...]
        return try (0..<(1 << rest.count)).map { choice in
            var filter = RunFilter()
            try filter.set(first, value(first))
            for (bit, name) in rest.enumerated() where choice & (1 << bit) != 0 { try filter.set(name, value(name)) }
            return filter
        }
    }

    @Test(arguments: [nil] + RunFilter.Name.allCases)
    func everyFilterOfRunsInEveryOrderIsReadFromAnIndex(first: RunFilter.Name?) async throws {
        try await Self.withProjections { projections in
            try await Self.expectIndexes(projections, count: 1...100_000) {
                for filter in try Self.filters(beginning: first) {
                    for field in RunField.allCases {
                        let order = ListOrder(field, isDescending: true)
                        guard (try? filter.check(order)) != nil else { continue }
                        let place = ListPlace(Self.place, value: field == .updatedAt ? "7" : "RUNNING")
                        _ = try await projections.runs(filter, by: order, limit: 5, in: Self.workspace)
                        _ = try await projections.runs(
                            filter, by: ListOrder(field, isDescending: false), after: place, limit: 5,
                            in: Self.workspace)
                    }
                }
            }
        }
    }

    @Test func everyStatusAndThoseThatCancellationsSelectAreReadFromAnIndex() async throws {
        try await Self.withProjections { projections in
            try await Self.expectIndexes(projections, count: 8...100) {
                for status in RunStatus.allCases {
                    for user in [nil, "u"] {
                        for field in RunField.allCases {
                            var filter = RunFilter()
                            (filter.status, filter.userID) = (status, user)
                            _ = try await projections.runs(
                                filter, by: ListOrder(field, isDescending: true), limit: 5, in: Self.workspace)
                        }
                    }
                }
                var unfinished = RunFilter()
                unfinished.isUnfinished = true
                _ = try await projections.runs(unfinished, limit: 5, in: Self.workspace)
            }
        }
    }

    @Test func everyOrderOfTheOtherListsIsReadFromAnIndex() async throws {
        try await Self.withProjections { projections in
            let places = [nil, ListPlace(Self.place, value: "m")]
            try await Self.expectIndexes(projections, count: 50...110) {
                for place in places {
                    for field in AccessRequestField.allCases {
                        for isDescending in [false, true] {
                            _ = try await projections.accessRequests(
                                status: .pending, by: ListOrder(field, isDescending: isDescending), after: place,
                                limit: 5, in: Self.workspace)
                        }
                    }
                    for (field, status) in BuildField.allCases.flatMap({ [($0, nil), ($0, BuildStatus.failed)] }) {
                        for isDescending in [false, true] {
                            _ = try await projections.builds(
                                status: status, by: ListOrder(field, isDescending: isDescending), after: place,
                                limit: 5,
                                in: Self.workspace)
                        }
                    }
                }
                for isDescending in [false, true] {
                    for kind in ResourceKind.allCases {
                        for field in ResourceField.allCases {
                            let order = ResourceOrder(field, isDescending: isDescending)
                            _ = try await projections.resources(kind, by: order, in: Self.workspace)
                        }
                        _ = try await projections.resources(kind, in: Self.workspace)
                    }
                    for field in APIKeyField.allCases {
                        _ = try await projections.apiKeys(
                            by: ListOrder(field, isDescending: isDescending), in: Self.workspace)
                    }
                }
            }
        }
    }

    @Test func everyPlaceOfACursorIsFoundByAnIndex() async throws {
        try await Self.withProjections { projections in
            try await Self.expectIndexes(projections, count: 7...10) {
                func find<Field>(_: Field.Type) async throws where Field: ListField {
                    for field in Field.allCases {
                        _ = try await projections.place(
                            of: Self.place, by: ListOrder(field, isDescending: true), in: Self.workspace)
                    }
                }
                try await find(RunField.self)
                try await find(AccessRequestField.self)
                try await find(BuildField.self)
            }
        }
    }

    @Test func everyListOfARunAndOfAWorkspaceIsReadFromAnIndex() async throws {
        try await Self.withProjections { projections in
            let (run, workspace): (RunID, WorkspaceName) = (RunID(UUIDValue(high: 1, low: 2)), Self.workspace)
            let month = CalendarMonth(containing: Self.time)
            try await Self.expectIndexes(projections, count: 15...30) {
                for isDescending in [false, true] {
                    _ = try await projections.timeline(run, after: 3, isDescending: isDescending, limit: 5)
                    _ = try await projections.timeline(run, after: 0, before: 9, isDescending: isDescending, limit: 5)
                }
                _ = try await projections.sequence(ofTimeline: run, at: Self.place)
                _ = try await projections.actions(of: run)
                _ = try await projections.run(run, in: workspace)
                _ = try projections.toolCall(ToolCallID(run.value), of: run)
                _ = try await projections.checkpoint(run: run, action: "a")
                _ = try await projections.expiry(of: run, in: workspace)
                _ = try await projections.connectorActivity(limit: 5, in: workspace)
                _ = try await projections.erasures(before: nil, limit: 5, in: workspace)
                _ = try await projections.controls(in: workspace)
                _ = try await projections.secrets(in: workspace)
                _ = try await projections.secrets(ofKind: .agent, in: workspace)
                _ = try await projections.agentVersions(of: ResourceID(run.value), limit: 5)
                _ = try await projections.modelSpend(of: nil, in: month, workspace)
                _ = try await projections.modelSpend(of: "a", in: month, workspace)
                _ = try await projections.agentModels(in: workspace)
                _ = try await projections.agentModels(of: "a", in: workspace)
                _ = try await projections.analysis(AnalysisID(run.value), in: workspace)
                _ = try await projections.runs(finishedBefore: Self.time, after: nil, limit: 5)
                _ = try await projections.expiredRuns(after: Self.place, limit: 5)
                _ = try await projections.counts()
            }
        }
    }

    /// Sums are sorted once they are made: they enter each table by the range of days.
    @Test func sumsReadTheRangeOfTheirDaysAlone() async throws {
        try await Self.withProjections { projections in
            let day = CalendarDay(containing: Self.time)
            let plans = try await projections.plans {
                for grouping in ModelUsageGrouping.allCases {
                    for agent in [nil, "a"] {
                        _ = try await projections.modelUsage(
                            by: grouping, from: day, to: day, of: agent, limit: 5, in: Self.workspace)
                    }
                }
                _ = try await projections.dailyUsage(from: day, to: day, in: Self.workspace)
            }
            #expect(plans.count >= 9)
            for plan in plans {
                let tables = plan.steps.filter { $0.hasPrefix("SCAN ") || $0.hasPrefix("SEARCH ") }
                    .filter { !$0.contains("subquery") }
                let isRange = tables.allSatisfy { $0.hasPrefix("SEARCH ") && $0.contains("day>?") }
                #expect(!tables.isEmpty && isRange, "\(plan)")
            }
        }
    }
}
