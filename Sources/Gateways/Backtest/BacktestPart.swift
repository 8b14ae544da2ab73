import Domain
import EventStore
import Governance
import Projections

/// One worker's part of a backtest.
struct BacktestPart: Sendable {
    /// How many runs' agents are kept; beyond it they are forgotten and asked for again.
    private static let runsMax = 100_000

    private(set) var backtest: PolicyBacktest
    private(set) var unreadableCount: UInt64 = 0
    private let workspace: WorkspaceName
    private let projections: Projections
    private let caller: String?
    private var agents: [RunID: String] = [:]

    init(_ empty: PolicyBacktest, _ workspace: WorkspaceName, _ projections: Projections, caller: String?) {
        backtest = empty
        self.workspace = workspace
        self.projections = projections
        self.caller = caller
    }

    mutating func read(_ store: EventStore, after start: Position, through end: Position) async throws {
        var position = start
        while position < end {
            try Task.checkCancellation()
            let limit = Int(min(end.value - position.value, UInt64(EventStore.pageEventsMax)))
            let page = try await store.read(from: position.next, through: end, limit: limit)
            guard let last = page.last else { return }
            for recorded in page where recorded.event.workspace == workspace { try await add(recorded) }
            position = last.position
        }
    }

    private mutating func add(_ recorded: RecordedEvent) async throws {
        let event = recorded.event
        guard event.stream.kind == .run, let reading = RecordedCall.reading(event.payload) else { return }
        let runID = RunID(event.stream.id)
        if let caller, try await agent(of: runID) != caller { return }
        guard case .call(let call) = reading else {
            unreadableCount += 1
            return
        }
        guard let agent = try await agent(of: runID) else { return }
        backtest.add(
            BacktestCall(agent: agent, tool: call.tool, method: call.method, address: call.address), then: call.then,
            of: runID, at: recorded.position)
    }

    private mutating func agent(of run: RunID) async throws -> String? {
        if let known = agents[run] { return known }
        guard let found = try await projections.run(run, in: workspace) else { return nil }
        if agents.count >= Self.runsMax { agents.removeAll(keepingCapacity: true) }
        agents[run] = found.agentID
        return found.agentID
    }
}
