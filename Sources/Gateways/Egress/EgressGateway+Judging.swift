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
        let document: JSONValue
        let verdict: Verdict
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
        guard let id = RunID(text), let run = commands.activeRun(id), run.workspace == request.workspace else {
            return .refused(.refusal(404, "RUN_UNKNOWN", "run \(text.excerpt) not found, or finished"))
        }
        guard request.agent == nil || request.agent == run.agentID else {
            return .refused(.refusal(403, "AGENT_MISMATCH", "run \(id) is not one of agent \(request.agent ?? "")"))
        }
        return .run(run)
    }

    /// What the policies say of the call.
    func judge(_ request: EgressRequest, of agentName: String) async throws -> Judged {
        let workspace = request.workspace
        let record = try await projections.resource(.tool, named: request.tool, in: workspace)
        let document = record?.document.value ?? .null
        let tool = try record.map { try GovernedTool(name: $0.name, document: document) }
        // Without a deploy nothing is bound, and nothing is granted that needs a binding.
        let agent = GovernedAgent(
            name: agentName,
            document: try await projections.resource(.agent, named: agentName, in: workspace)?.document.value ?? .null)
        let policies = try await projections.boundPolicies(of: agent, in: workspace)
        let base = tool.map { $0.baseURL.text } ?? ""
        let path = base.hasSuffix("/") && request.path.hasPrefix("/") ? String(request.path.dropFirst()) : request.path
        let url = base + path + (request.query.map { "?" + $0 } ?? "")
        let call = CallFacts(agent: agent, tool: request.tool, method: request.method, url: url)
        return Judged(
            tool: tool, document: document,
            verdict: PolicyEvaluation.decide(call: call, tool: tool, policies: policies))
    }
}
