import CommandHandling
import Domain
import Governance
import Projections

extension EgressGateway {
    enum Caller {
        case run(RunState)
        case refused(EgressAnswer)
    }

    struct Judged {
        let tool: GovernedTool?
        let identity: ToolIdentity?
        let document: JSONValue
        let limits: RunLimitOverrides
        let verdict: Verdict

        /// The destination of the call; `nil` for one that is denied, or that has none.
        var target: Target? {
            guard let tool, let identity, let url = verdict.url, verdict.permission != .deny else { return nil }
            return Target(tool: tool, identity: identity, url: url)
        }
    }

    struct Target {
        let tool: GovernedTool
        let identity: ToolIdentity
        let url: NormalizedURL
    }

    /// The run that a call is for: the one it names, or the only one that its agent is at.
    func caller(of request: EgressRequest) -> Caller {
        guard let text = request.header("x-run-id") else {
            let runs = request.agent.map { commands.runsInTurn(of: $0, request.workspace, max: 2) } ?? []
            guard runs.count == 1 else {
                return .refused(
                    .refusal(
                        400, "RUN_UNKNOWN",
                        "X-Run-ID is required: it says which run the call is for; the agent is at "
                            + (runs.isEmpty ? "none" : "more than one")))
            }
            return .run(runs[0])
        }
        guard let id = RunID(text), let run = commands.activeRunWithoutCalls(id), run.workspace == request.workspace
        else {
            if let id = RunID(text), request.attemptID?.hasPrefix("req-\(id)-") == true {
                return .refused(EndedCall.runEnded(id).answer)
            }
            return .refused(.refusal(404, "RUN_UNKNOWN", "run \(text.excerpt) not found, or finished"))
        }
        guard request.agent == nil || request.agent == run.agentID else {
            return .refused(.refusal(403, "AGENT_MISMATCH", "run \(id) is not one of agent \(request.agent ?? "")"))
        }
        return .run(run)
    }

    /// What the policies say of the call.
    func judge(_ request: EgressRequest, of agentName: String) async throws -> Judged {
        let governed = try await governance.pair(agent: agentName, tool: request.tool, in: request.workspace)
        let path = request.path + (request.query.map { "?" + $0 } ?? "")
        let url = governed.tool?.url(below: path) ?? path
        let call = CallFacts(agent: governed.agent, tool: request.tool, method: request.method, url: url)
        return Judged(
            tool: governed.tool, identity: governed.identity, document: governed.document,
            limits: governed.agent.limits,
            verdict: PolicyEvaluation.decide(
                call: call, tool: governed.tool, policies: governed.policies, isExplained: false))
    }
}
