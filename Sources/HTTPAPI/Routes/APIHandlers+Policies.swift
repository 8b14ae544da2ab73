import Domain
import EventStreaming
import Gateways
import Governance
import HTTPTypes
import Projections

extension APIHandlers {
    /// What would be decided on a call, and why: nothing is called and nothing is recorded.
    func explainPolicy(_ request: APIRequest) async throws -> APIAnswer {
        guard let agentName = try agentID(request.query("agent"), request) else {
            throw APIError.badRequest("agent is required")
        }
        guard let method = request.query("method"), let methods = CallMethods([method]), !methods.names.isEmpty else {
            throw APIError.badRequest("method is required, such as GET")
        }
        guard let url = request.query("url") else { throw APIError.badRequest("url is required") }
        _ = try await resource(.agent, agentName, request, notFound: Self.notFound(.agent, agentName))
        let agent = try await projections.governedAgent(agentName, in: request.workspace)
        let (toolName, tool) = try await governedTool(request.query("tool"), url, request)
        let call = CallFacts(agent: agent, tool: toolName, method: method, url: url)
        let verdict = PolicyEvaluation.decide(
            call: call, tool: tool, policies: try await projections.boundPolicies(of: agent, in: request.workspace))
        return APIAnswer(.ok, verdict.json(call, tool))
    }

    /// Rules of plain English. Nothing is stored: the answer is to be read, and posted as a policy.
    func translatePolicy(_ request: APIRequest) async throws -> APIAnswer {
        let text = try request.body.requiredText("text")
        var tools: [String: String] = [:]
        for record in try await projections.resources(.tool, in: request.workspace) {
            tools[record.name] = record.document.value["spec"]?["connection"]?["baseUrl"]?.string
        }
        let translation = PolicyTranslation(text, tools: tools)
        let spec = JSONValue.object([
            .init(name: "policies", value: .array(translation.rules)),
            .init(name: "approvals", value: .array(translation.approvals)),
        ])
        let answer = JSONText.object { json in
            json.add("rules", translation.rules.map(\.text))
            json.add("spec", spec.text)
            json.add(
                "explanation", translation.understood.map { Self.statement($0.statement, "meaning", $0.meaning) })
            json.add("unmatched", translation.unmatched.map { Self.statement($0.statement, "reason", $0.reason) })
        }
        return APIAnswer(.ok, answer)
    }

    private static func statement(_ text: String, _ name: String, _ value: String) -> JSONText {
        .object { json in
            json.add("statement", text)
            json.add(name, value)
        }
    }

    /// The named tool, or without a name the one whose base URL the call lies below; of several the longest.
    private func governedTool(
        _ name: String?, _ url: String, _ request: APIRequest
    ) async throws -> (name: String, tool: GovernedTool?) {
        if let name {
            guard let record = try await projections.resource(.tool, named: name, in: request.workspace) else {
                return (name, nil)
            }
            do throws(InvalidDocument) {
                return (name, try GovernedTool(name: name, document: record.document.value))
            } catch {
                throw APIError.conflict("tool \"\(name)\" cannot be read: \(error.message); store it again")
            }
        }
        guard let url = try? NormalizedURL(url) else { throw APIError.badRequest("url must be an http or https URL") }
        var best: GovernedTool?
        for record in try await projections.resources(.tool, in: request.workspace) {
            guard let tool = try? GovernedTool(name: record.name, document: record.document.value),
                tool.place(of: url) != nil
            else { continue }
            if let best, best.baseURL.path.utf8.count >= tool.baseURL.path.utf8.count { continue }
            best = tool
        }
        return (best?.name ?? "", best)
    }
}

extension Verdict {
    fileprivate func json(_ call: CallFacts, _ tool: GovernedTool?) -> JSONText {
        .object { json in
            json.add("decision", permission.rawValue)
            json.add("decided_by", rule.code)
            json.add("reason", rule.reason)
            if case .policy(let name, let index, _) = rule {
                json.add("policy", name)
                json.add("rule", index)
            }
            json.add("agent", call.agent.name)
            json.add("tool", tool?.name)
            json.add("method", call.method)
            json.add("url", url?.text ?? call.url)
            json.add("capability", capability?.capability?.names.first)
            json.add("safe_to_repeat", capability?.isSafeToRepeat)
            if case .approvalRequired(_, let requirement) = decision { json.add("approval", requirement.json) }
            json.add(
                "steps",
                explanation.steps.map { step in
                    JSONText.object {
                        $0.add("stage", step.stage.rawValue)
                        $0.add("finding", step.finding)
                    }
                })
        }
    }
}

extension ApprovalRequirement {
    fileprivate var json: JSONText {
        .object { json in
            json.add("name", name)
            json.add("groups", groups)
            json.add("match", mixedClauses.isEmpty ? match.rawValue : "clauses")
            if !mixedClauses.isEmpty {
                json.add("clauses", mixedClauses.map { JSONValue.array($0.map(JSONValue.string)).text })
            }
            json.add("duration", DurationText.format(duration))
            if needsSignature { json.add("require_signature", true) }
        }
    }
}
