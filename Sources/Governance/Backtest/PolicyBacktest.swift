package import Domain

/// Judges recorded calls by today's policies, and by those with a proposed one among them.
///
/// Documents are read once, and of the policies only those rules are asked that can be about calls of that tool and
/// method at all. A call that takes long to judge is remembered, without its query. Memory is bounded whatever the calls
/// are.
package struct PolicyBacktest: Sendable {
    private struct Governed: Sendable {
        let agent: GovernedAgent
        let today: [BoundPolicy]
        let proposed: [BoundPolicy]
        /// Whether the proposed policy is among them: without it nothing changes.
        let isBound: Bool
    }

    private struct Judgement {
        let today: PolicyPermission
        let proposed: PolicyPermission
    }

    /// How many scopes are kept, and rules in them; beyond it they are forgotten and made again.
    private static let scopesMax = 2_000
    private static let scopedRulesMax = 100_000

    private let agents: [String: Governed]
    private let tools: [String: GovernedTool]
    private let examplesMax: Int
    private let judgementsMax: Int
    private var scopes: [BacktestScope.Key: BacktestScope] = [:]
    private var scopedRuleCount = 0
    private var young: [BacktestCall: Judgement] = [:]
    private var old: [BacktestCall: Judgement] = [:]

    package private(set) var tallies: [BacktestOutcome: BacktestTally] = [:]
    package private(set) var callCount: UInt64 = 0

    /// - Parameters:
    ///   - agents: all that are deployed.
    ///   - tools: all that are registered, and readable.
    ///   - policies: all that are stored.
    ///   - name: of the proposed policy, which takes the place of a stored one of that name.
    ///   - boundTo: agents that the proposal binds it to, beside those whose deploy names it.
    ///   - judgementsMax: how many judgements are kept in each of the two generations.
    package init(
        agents: [GovernedAgent], tools: [GovernedTool], policies: [BoundPolicy], name: String, proposed: Policy,
        boundTo: Set<String> = [], examplesMax: Int, judgementsMax: Int = 50_000
    ) {
        let stored = Dictionary(policies.map { ($0.name, $0) }) { first, _ in first }
        self.agents = Dictionary(
            agents.map { agent in
                let today = agent.policyNames.map { stored[$0] ?? BoundPolicy(name: $0, .missing) }
                let isBound = agent.policyNames.contains(name) || boundTo.contains(agent.name)
                let others = today.filter { $0.name != name }
                let proposal = [BoundPolicy(name: name, .policy(proposed))]
                return (
                    agent.name,
                    Governed(
                        agent: agent, today: today, proposed: isBound ? others + proposal : today, isBound: isBound)
                )
            }
        ) { first, _ in first }
        self.tools = Dictionary(tools.map { ($0.name, $0) }) { first, _ in first }
        self.examplesMax = examplesMax
        self.judgementsMax = judgementsMax
    }

    /// The agents that the proposed policy decides over, by name.
    package var boundAgents: [String] { agents.values.filter(\.isBound).map(\.agent.name).sorted() }

    /// Judges a call that the gate once did `then` with.
    package mutating func add(_ call: BacktestCall, then: PolicyPermission, of runID: RunID, at position: Position) {
        let judgement = judgement(of: call)
        let outcome = BacktestOutcome(then: then, today: judgement.today, proposed: judgement.proposed)
        callCount += 1
        let isShown = outcome.isChange && tallies[outcome].map { $0.examples.count < examplesMax } ?? true
        let reason = isShown ? verdict(on: call).rule.reason : ""
        tallies[outcome, default: BacktestTally()].add(
            { isShown ? BacktestExample(position: position, runID: runID, call: call, reason: reason) : nil },
            examplesMax: examplesMax)
    }

    /// Adds what was judged of later calls.
    package mutating func merge(_ later: PolicyBacktest) {
        callCount += later.callCount
        for (outcome, tally) in later.tallies {
            tallies[outcome, default: BacktestTally()].merge(tally, examplesMax: examplesMax)
        }
    }

    private mutating func judgement(of call: BacktestCall) -> Judgement {
        let call = call.withoutQuery
        let key = BacktestScope.Key(agent: call.agent, tool: call.tool, method: call.method)
        if let scope = scopes[key], scope.isQuick, case .url(let text) = call.address,
            let url = NormalizedURL(plain: text)
        {
            return judgement(of: call, in: scope, url)
        }
        if let known = young[call] { return known }
        let judgement = old[call] ?? judgement(of: call, in: scope(key), nil)
        if young.count >= judgementsMax {
            old = young
            young.removeAll(keepingCapacity: true)
        }
        young[call] = judgement
        return judgement
    }

    private func judgement(of call: BacktestCall, in scope: BacktestScope, _ url: NormalizedURL?) -> Judgement {
        let permissions = PolicyEvaluation.permissions(
            call: CallFacts(agent: scope.agent, tool: call.tool, method: call.method, url: address(call, scope.tool)),
            at: url, tool: scope.tool, policies: scope.policies)
        // Where the proposed policy is not bound nothing changes.
        return Judgement(today: permissions[0], proposed: permissions[permissions.count - 1])
    }

    private mutating func scope(_ key: BacktestScope.Key) -> BacktestScope {
        if let known = scopes[key] { return known }
        let governed = agents[key.agent]
        var lists = [governed?.today ?? []]
        if let governed, governed.isBound { lists.append(governed.proposed) }
        let scope = BacktestScope(
            agent: agent(key.agent), tool: tools[key.tool], method: key.method, policies: lists)
        if scopes.count >= Self.scopesMax || scopedRuleCount + scope.ruleCount > Self.scopedRulesMax {
            scopes.removeAll(keepingCapacity: true)
            scopedRuleCount = 0
        }
        scopes[key] = scope
        scopedRuleCount += scope.ruleCount
        return scope
    }

    /// As at the gate: without a deploy nothing is bound.
    private func agent(_ name: String) -> GovernedAgent {
        agents[name]?.agent ?? GovernedAgent(name: name, requiredTools: [], policyNames: [])
    }

    private func address(_ call: BacktestCall, _ tool: GovernedTool?) -> String {
        switch call.address {
        case .url(let text): text
        case .belowBase(let path): tool?.url(below: path) ?? path
        }
    }

    /// Why the call is judged so with the proposed policy, which the rules that were left out have to be asked for too.
    private func verdict(on call: BacktestCall) -> Verdict {
        let tool = tools[call.tool]
        return PolicyEvaluation.decide(
            call: CallFacts(
                agent: agent(call.agent), tool: call.tool, method: call.method, url: address(call, tool)),
            tool: tool, policies: agents[call.agent]?.proposed ?? [], isExplained: false)
    }
}

extension BacktestCall {
    /// Rules hold whatever the query; that of a recorded URL is well formed.
    fileprivate var withoutQuery: BacktestCall {
        guard case .url(let text) = address, let end = text.utf8.firstIndex(of: UInt8(ascii: "?")) else { return self }
        return BacktestCall(agent: agent, tool: tool, method: method, address: .url(String(text[..<end])))
    }
}
