package import Domain
package import EventStore
package import Governance
package import Projections

/// Holds a proposed policy against the calls of tools that are in the log.
package struct PolicyBacktester: Sendable {
    package struct Proposal: Sendable {
        let name: String
        let policy: Policy
        let agents: Set<String>
        let examplesMax: Int
        let caller: String?

        /// - Parameters:
        ///   - agents: to whom it is bound, beside those whose deploy names it.
        ///   - examplesMax: how many calls to show of each outcome.
        ///   - caller: the agent whose calls alone are judged and shown; `nil` for those of all agents.
        package init(
            name: String, policy: Policy, agents: Set<String>, examplesMax: Int, caller: String? = nil
        ) {
            self.name = name
            self.policy = policy
            self.agents = agents
            self.examplesMax = examplesMax
            self.caller = caller
        }
    }

    package struct Report: Sendable {
        package var backtest: PolicyBacktest
        /// Calls of which too little is recorded to judge them.
        package var unreadableCount: UInt64 = 0
        /// The positions that were looked through; none, when the second is before the first.
        package let from: Position
        package let through: Position
        package let duration: Duration
    }

    private static let workersMax = 4
    /// A worker's part of the log is no smaller than this: beginning one costs more.
    private static let partEventsMin: UInt64 = 16_384

    private let store: EventStore
    private let projections: Projections

    package init(store: EventStore, projections: Projections) {
        self.store = store
        self.projections = projections
    }

    /// Judges every call after `position`. Reads each event once, page by page.
    ///
    /// - Throws: `ProjectionError` and `EventStoreError`, when something cannot be read; `CancellationError`.
    package func run(
        _ proposal: Proposal, after position: Position, in workspace: WorkspaceName
    ) async throws -> Report {
        let start = ContinuousClock.now
        let empty = try await backtest(proposal, workspace)
        let end = projections.position
        let parts = Self.parts(after: position, through: end)
        let judged = try await withThrowingTaskGroup(of: (Int, BacktestPart).self) { group in
            for (index, part) in parts.enumerated() {
                group.addTask {
                    var work = BacktestPart(empty, workspace, projections, caller: proposal.caller)
                    try await work.read(store, after: part.after, through: part.through)
                    return (index, work)
                }
            }
            return try await group.reduce(into: [Int: BacktestPart]()) { $0[$1.0] = $1.1 }
        }
        var (whole, unreadable) = (empty, UInt64(0))
        for index in parts.indices {
            guard let part = judged[index] else { continue }
            whole.merge(part.backtest)
            unreadable += part.unreadableCount
        }
        return Report(
            backtest: whole, unreadableCount: unreadable, from: position.next, through: end,
            duration: start.duration(to: .now))
    }

    private func backtest(_ proposal: Proposal, _ workspace: WorkspaceName) async throws -> PolicyBacktest {
        let agents = try await projections.resources(.agent, in: workspace)
        let tools = try await projections.resources(.tool, in: workspace)
        let policies = try await projections.resources(.policy, in: workspace)
        return PolicyBacktest(
            agents: agents.map { GovernedAgent(name: $0.name, document: $0.document.value) },
            // As at the gate, a tool that cannot be read is none.
            tools: tools.compactMap { try? GovernedTool(name: $0.name, document: $0.document.value) },
            policies: policies.map { BoundPolicy(name: $0.name, document: $0.document) },
            name: proposal.name, proposed: proposal.policy, boundTo: proposal.agents,
            examplesMax: proposal.examplesMax)
    }

    /// Parts of the log of about the same size, in order.
    private static func parts(after start: Position, through end: Position) -> [(after: Position, through: Position)] {
        guard start < end else { return [] }
        let count = end.value - start.value
        let size = max((count + UInt64(workersMax) - 1) / UInt64(workersMax), partEventsMin)
        return stride(from: start.value, to: end.value, by: Int(clamping: size)).map { first in
            (Position(first), Position(min(first + size, end.value)))
        }
    }
}
