/// What all calls of one agent, tool and method have in common: the lists of policies, with those rules alone that can
/// be about such a call.
///
/// Behind one reference: it is looked up for every call.
final class BacktestScope: Sendable {
    struct Key: Hashable, Sendable {
        let agent: String
        let tool: String
        let method: String
    }

    /// How many rules and capabilities are looked at in less time than a judgement is looked up.
    private static let quickMax = 64

    let agent: GovernedAgent
    let tool: GovernedTool?
    /// In the order of their names.
    let policies: [[BoundPolicy]]
    let ruleCount: Int
    /// Whether judging a plain URL costs no more than remembering what came of it.
    let isQuick: Bool

    init(agent: GovernedAgent, tool: GovernedTool?, method: String, policies: [[BoundPolicy]]) {
        self.agent = agent
        self.tool = tool
        let method = method.uppercased()
        let policies = policies.map { list in
            list.sorted { $0.name < $1.name }.map { Self.applicable($0, method, tool) }
        }
        self.policies = policies
        let ruleCount = policies.joined().map(\.ruleCount).reduce(0, +)
        self.ruleCount = ruleCount
        isQuick = ruleCount + (tool?.capabilities.count ?? 0) <= Self.quickMax
    }

    /// A policy stays bound though no rule of it is left: what no rule covers is denied.
    private static func applicable(_ bound: BoundPolicy, _ method: String, _ tool: GovernedTool?) -> BoundPolicy {
        guard let tool, case .policy(let policy) = bound.content else { return bound }
        let rules = policy.rules.filter { $0.mayCover(method, somewhereBelow: tool.baseURL) }
        return BoundPolicy(name: bound.name, .policy(Policy(rules: rules)))
    }
}

extension BoundPolicy {
    fileprivate var ruleCount: Int { if case .policy(let policy) = content { policy.rules.count } else { 0 } }
}
