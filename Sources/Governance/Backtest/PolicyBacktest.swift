package import Domain

/// Judges recorded calls by today's policies, and by those with a proposed one among them.
///
/// Documents are read once; calls that are alike, but for their queries, are judged once. Memory is bounded whatever
/// the calls are.
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

    private let agents: [String: Governed]
    private let tools: [String: GovernedTool]
    private let examplesMax: Int
    private let judgementsMax: Int
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
        let reason = isShown ? verdict(on: call, proposed: true).rule.reason : ""
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
        if let known = young[call] { return known }
        let judgement: Judgement
        if let known = old[call] {
            judgement = known
        } else {
            let today = verdict(on: call, proposed: false).permission
            let isBound = agents[call.agent]?.isBound ?? false
            judgement = Judgement(
                today: today, proposed: isBound ? verdict(on: call, proposed: true).permission : today)
        }
        if young.count >= judgementsMax {
            old = young
            young.removeAll(keepingCapacity: true)
        }
        young[call] = judgement
        return judgement
    }

    private func verdict(on call: BacktestCall, proposed: Bool) -> Verdict {
        // As at the gate: without a deploy nothing is bound.
        let governed = agents[call.agent]
        let agent = governed?.agent ?? GovernedAgent(name: call.agent, requiredTools: [], policyNames: [])
        let tool = tools[call.tool]
        let url: String
        switch call.address {
        case .url(let text): url = text
        case .belowBase(let path): url = tool?.url(below: path) ?? path
        }
        return PolicyEvaluation.decide(
            call: CallFacts(agent: agent, tool: call.tool, method: call.method, url: url), tool: tool,
            policies: (proposed ? governed?.proposed : governed?.today) ?? [], isExplained: false)
    }
}

extension BacktestCall {
    /// Rules hold whatever the query; that of a recorded URL is well formed.
    fileprivate var withoutQuery: BacktestCall {
        guard case .url(let text) = address, let end = text.utf8.firstIndex(of: UInt8(ascii: "?")) else { return self }
        return BacktestCall(agent: agent, tool: tool, method: method, address: .url(String(text[..<end])))
    }
}
