import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Projections

/// What may be changed of an agent without deploying it anew.
extension APIHandlers {
    /// How often a change is tried again when somebody else's came in between.
    private static let changeAttemptsMax = 5

    func agentConfiguration(_ request: APIRequest) async throws -> APIAnswer {
        let (name, missing) = try agentName(request)
        return try await configuration(of: name, missing, request, position: nil)
    }

    /// Stores the agent's document with the changes in it, as a deploy does: a running agent takes them.
    func changeAgentConfiguration(_ request: APIRequest) async throws -> APIAnswer {
        let (name, missing) = try agentName(request)
        let update = try AgentConfigurationUpdate(request.body)
        _ = try await resource(.agent, name, request, notFound: missing)
        guard !update.isEmpty else { return try await configuration(of: name, missing, request, position: nil) }
        try await checkNames(update, request)
        for attempt in 1...Self.changeAttemptsMax {
            let agent = try await resource(.agent, name, request, notFound: missing)
            let item = StoreResources.Item(
                kind: .agent, name: name, newID: commands.newID(),
                document: try update.applied(to: agent.document.value).text, expectedRevision: agent.revision)
            do {
                let receipt = try await execute(
                    .storeResources(StoreResources(items: [item], mustExist: true)), request)
                return try await configuration(of: name, missing, request, position: receipt.position)
            } catch CommandError.rejected(let rejection)
                where rejection.code == .revisionChanged && attempt < Self.changeAttemptsMax
            {
                continue
            }
        }
        preconditionFailure("the last attempt ends in an answer or an error")
    }

    /// Refuses names of what is not there, all of them at once.
    private func checkNames(_ update: AgentConfigurationUpdate, _ request: APIRequest) async throws {
        var named: [(ResourceKind, [String])] = [
            (.tool, update.requiredTools ?? []), (.policy, update.policies ?? []),
            (.modelProvider, update.modelProviders),
        ]
        if let name = update.identityProvider, !name.isEmpty { named.append((.identityProvider, [name])) }
        var missing: [String] = []
        for (kind, names) in named {
            for name in names where try await projections.resource(kind, named: name, in: request.workspace) == nil {
                missing.append(Self.notFound(kind, name.excerpt))
            }
        }
        guard missing.isEmpty else {
            throw APIError.badRequest(missing.joined(separator: "; ") + ": register what is missing first")
        }
    }

    private func configuration(
        of name: String, _ missing: String, _ request: APIRequest, position: Position?
    ) async throws -> APIAnswer {
        let agent = try await resource(.agent, name, request, notFound: missing)
        let document = agent.document.value
        let spec = document["spec"] ?? .null
        let period = CalendarMonth(containing: now)
        let records = try await projections.modelSpend(of: name, in: period, request.workspace)
        let items = SpendItem.items(of: name, AgentModels(document: document), records)
        let findings = AgentFindings(document, try await knownNames(request))
        let answer = JSONText.object { json in
            json.add("agent_name", name)
            json.add("namespace", request.workspace.text)
            json.add("image", spec["image"]?.string ?? "")
            json.add("runtime", document["framework"]?.string)
            json.add("system_prompt", spec["systemPrompt"]?.string)
            json.add("identity_provider", document["identity_provider"]?.string)
            json.add("llm_configs", Self.modelConfigurations(document).map(\.text))
            json.add("model_usage", items.map { $0.json(period) })
            json.add(
                "required_tools", spec["requiredTools"].elements.compactMap { $0["name"]?.string ?? $0.string })
            json.add("policies", document["policies"].strings)
            json.add("monthly_budget_usd", document["monthly_budget_usd"]?.text)
            json.add("missing", findings.missing)
        }
        return APIAnswer(.ok, answer, position: position)
    }

    /// The agent's models in the published shape, with `journal` where it is set.
    private static func modelConfigurations(_ document: JSONValue) -> [JSONValue] {
        AgentModels.configurations(of: document).map { configuration in
            .object(
                ["role", "model_provider", "provider", "model", "monthly_budget_usd", "journal"].compactMap { name in
                    guard let value = configuration[name], value != .null else {
                        return name == "model" ? .init(name: name, value: .string("")) : nil
                    }
                    return .init(name: name, value: value)
                })
        }
    }
}
