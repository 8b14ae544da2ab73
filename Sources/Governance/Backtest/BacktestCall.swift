package import Domain

/// A recorded call of a tool, as far as policies see it.
package struct BacktestCall: Hashable, Sendable {
    package enum Address: Hashable, Sendable {
        case url(String)
        /// The path and query below the tool's base URL: all that is recorded of a call that went nowhere.
        case belowBase(String)
    }

    package let agent: String
    package let tool: String
    package let method: String
    package let address: Address

    package init(agent: String, tool: String, method: String, address: Address) {
        self.agent = agent
        self.tool = tool
        self.method = method
        self.address = address
    }
}

/// What the same call comes to three times over.
package struct BacktestOutcome: Hashable, Sendable, Comparable {
    /// What the gate did with it when it came.
    package let then: PolicyPermission
    /// What it would do now, with the agents, tools and policies that are stored.
    package let today: PolicyPermission
    /// What it would do with the proposed policy among them.
    package let proposed: PolicyPermission

    package init(then: PolicyPermission, today: PolicyPermission, proposed: PolicyPermission) {
        self.then = then
        self.today = today
        self.proposed = proposed
    }

    /// Whether anybody would notice the proposed policy, in comparison with the past or with today.
    package var isChange: Bool { then != proposed || today != proposed }

    package static func < (left: Self, right: Self) -> Bool { left.order.lexicographicallyPrecedes(right.order) }

    private var order: [Int] { [then, today, proposed].map(\.rank) }
}

extension PolicyPermission {
    fileprivate var rank: Int {
        switch self {
        case .allow: 0
        case .approvalRequired: 1
        case .deny: 2
        }
    }
}

/// One call that has some outcome.
package struct BacktestExample: Hashable, Sendable {
    package let position: Position
    package let runID: RunID
    package let call: BacktestCall
    /// Which rule decides with the proposed policy, and why.
    package let reason: String
}

/// How many calls have some outcome, and the first few of them.
package struct BacktestTally: Hashable, Sendable {
    package fileprivate(set) var count: UInt64 = 0
    package fileprivate(set) var examples: [BacktestExample] = []

    mutating func add(_ example: () -> BacktestExample?, examplesMax: Int) {
        count += 1
        if examples.count < examplesMax, let example = example() { examples.append(example) }
    }

    mutating func merge(_ other: BacktestTally, examplesMax: Int) {
        count += other.count
        examples += other.examples.prefix(max(0, examplesMax - examples.count))
    }
}
