import Catalog
import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Projections

/// The agents that come with Sluice, to be looked through and deployed.
extension APIHandlers {
    private static let pageSizeMax: UInt64 = 100

    /// A page of those that match every filter; a filter may be given several times, and one of its values is enough.
    func listCatalog(_ request: APIRequest) async throws -> APIAnswer {
        let page = Int(try request.query("page", in: 1...1_000_000) ?? 1)
        let size = Int(try request.query("page_size", in: 1...Self.pageSizeMax) ?? 24)
        let search = request.query("search")?.lowercased()
        let filters: [(query: String, values: (PublishedAgent) -> [String])] = [
            ("category", { [$0.text("category")] }), ("tag", { $0.texts("tags") }),
            ("integration", { $0.texts("required_integrations") }), ("governance", { $0.texts("governance_traits") }),
        ]
        let found = PublishedAgents.all.newest.filter { agent in
            guard search.map(agent.mentions) ?? true else { return false }
            return filters.allSatisfy { filter in
                let wanted = request.queries(filter.query)
                return wanted.isEmpty || filter.values(agent).contains { wanted.contains($0.lowercased()) }
            }
        }
        let answer = JSONText.object { json in
            json.add("generated_at", PublishedAgents.all.publishedAt)
            json.add("items", found.dropFirst((page - 1) * size).prefix(size).map(\.entry))
            json.add("total", found.count)
            json.add("page", page)
            json.add("page_size", size)
        }
        return APIAnswer(.ok, answer)
    }

    func getCatalogAgent(_ request: APIRequest) async throws -> APIAnswer {
        APIAnswer(.ok, try published(request, request.query("version")).manifestJSON)
    }

    func listCatalogVersions(_ request: APIRequest) async throws -> APIAnswer {
        let newest = try published(request, nil)
        let answer = JSONText.object { json in
            json.add("agent_id", newest.id)
            json.add(
                "versions",
                PublishedAgents.all.versions(of: newest.id).map { agent in
                    JSONText.object { json in
                        json.add("version", agent.version)
                        for name in ["published_at", "summary", "changelog"] { json.add(name, agent.text(name)) }
                    }
                })
        }
        return APIAnswer(.ok, answer)
    }

    /// Deploys one with all that it needs: the starter kit and its policies are seeded, where they are missing.
    func deployCatalogAgent(_ request: APIRequest) async throws -> APIAnswer {
        let agent = try published(request, try request.body.text("version"))
        let body = try agent.deployBody(request.body)
        let ordered = request.with(body: body, idempotency: nil)
        let (order, resources, _) = try await deployment(
            ordered, keeping: AgentInheritance(ofDeploy: agent.namedMembers(request.body)))
        try await check(resources, ordered)
        let items = starterKitResources(request).items + (try Self.policies(of: agent))
        let seeds = ResourcesToStore(items, keepsExisting: true)
        let seeded = try await execute(seeds, ordered).stored
        let receipt = try await execute(resources, request)
        let record = try await resource(
            .agent, order.agentName, request, notFound: Self.notFound(.agent, order.agentName))
        let findings = AgentFindings(record.document.value, try await knownNames(request))
        let answer = JSONText.object { json in
            json.add("agent", order.agentName)
            json.add("version", record.revision)
            findings.add(to: &json)
            json.add("namespace", request.workspace.text)
            json.add("catalog_id", agent.id)
            json.add("catalog_version", agent.version)
            json.add("tools_created", seeded.filter { $0.kind == .tool }.map(\.name))
            json.add("model_providers_created", seeded.filter { $0.kind == .modelProvider }.map(\.name))
            json.add("policies_created", seeded.filter { $0.kind == .policy }.map(\.name))
        }
        return APIAnswer(.created, answer, position: receipt.position)
    }

    private func published(_ request: APIRequest, _ version: String?) throws(APIError) -> PublishedAgent {
        let id = try request.parameter("name")
        let versions = PublishedAgents.all.versions(of: id)
        guard let newest = versions.first else { throw .notFound("catalog agent \(id.excerpt) not found") }
        guard let version else { return newest }
        guard let agent = versions.first(where: { $0.version == version }) else {
            throw .notFound(
                "catalog agent \(id) has no version \(version.excerpt); it has "
                    + versions.map(\.version).joined(separator: ", "))
        }
        return agent
    }
}

extension PublishedAgent {
    /// Whether the words stand in one of its texts.
    fileprivate func mentions(_ words: String) -> Bool {
        let texts = [id] + ["name", "summary", "description"].map(text) + texts("tags")
        return texts.contains { $0.lowercased().contains(words) }
    }

    /// In a list.
    fileprivate var entry: JSONText {
        .object { json in
            json.add("id", id)
            for name in ["name", "summary", "description", "category"] { json.add(name, text(name)) }
            json.add("tags", texts("tags"))
            json.add("latest_version", version)
            json.add("required_integrations", texts("required_integrations"))
            json.add("default_policies", policies.map(\.name))
            json.add("governance_traits", texts("governance_traits"))
            json.add("complexity", text("complexity"))
        }
    }

    fileprivate var manifestJSON: JSONText {
        .object { json in
            json.add("id", id)
            json.add("version", version)
            for name in ["name", "summary", "description", "category"] { json.add(name, text(name)) }
            json.add("tags", texts("tags"))
            json.add("defaultModel", text("default_model"))
            json.add("requiredIntegrations", texts("required_integrations"))
            json.add("defaultPolicies", policies.map(\.name))
            json.add("governanceTraits", texts("governance_traits"))
            json.add("useCases", texts("use_cases"))
            json.add("prompts", manifest["prompts"]?.text)
            json.add(
                "deploymentTemplate",
                JSONText.object { template in
                    template.add("sourceType", "source")
                    template.add("sourceFiles", JSONValue.object(sources).text)
                    template.add("agentName", id)
                    template.add("systemPrompt", text("system_prompt"))
                    template.add("requiredTools", texts("required_tools"))
                    template.add("policies", policies.map(\.name))
                    template.add("identityProvider", "")
                })
            json.add("policyDocuments", JSONValue.object(policies).text)
            json.add("changelog", text("changelog"))
            json.add("publishedAt", text("published_at"))
        }
    }

    /// The body of its deploy; the name, the model, the tools and the policies may be chosen.
    fileprivate func deployBody(_ chosen: JSONValue) throws(APIError) -> JSONValue {
        let model = try chosen.text("model") ?? text("default_model")
        let parts = model.split(separator: "/", maxSplits: 1).map(String.init)
        guard model.isEmpty || parts.count == 2 else {
            throw .badRequest("model must be a provider and a model, such as openai/gpt-4o-mini")
        }
        var members: [JSONValue.Member] = [
            .init(name: "agent_name", value: .string(try chosen.text("agent_name", "name") ?? id)),
            .init(name: "source_files", value: .object(sources)),
            .init(name: "required_tools", value: Self.array(try chosen.texts("tools") ?? texts("required_tools"))),
            .init(name: "policies", value: Self.array(try chosen.texts("policies") ?? policies.map(\.name))),
        ]
        if !text("system_prompt").isEmpty {
            members.append(.init(name: "system_prompt", value: .string(text("system_prompt"))))
        }
        if parts.count == 2 {
            let configuration = JSONValue.object([
                .init(name: "role", value: .string("default")), .init(name: "provider", value: .string(parts[0])),
                .init(name: "model", value: .string(parts[1])),
            ])
            members.append(.init(name: "llm_configs", value: .array([configuration])))
        }
        if let provider = try chosen.text("identity_provider") {
            members.append(.init(name: "identity_provider", value: .string(provider)))
        }
        return .object(members)
    }

    /// The members of the deploy that are the client's choice or the published agent's: its default policies and model are
    /// for a new agent, and replace nothing that an agent of that name has.
    fileprivate func namedMembers(_ chosen: JSONValue) -> JSONValue {
        let members = [("policies", "policies"), ("model", "llm_configs"), ("identity_provider", "identity_provider")]
        let named = members.filter { (chosen[$0.0] ?? .null) != .null }.map(\.1)
        return .object((named + ["required_tools"]).map { .init(name: $0, value: .null) })
    }

    private static func array(_ texts: [String]) -> JSONValue { .array(texts.map(JSONValue.string)) }
}
