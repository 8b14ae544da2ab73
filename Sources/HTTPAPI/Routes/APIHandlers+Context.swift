import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Projections

/// What a workspace has, in one document: for assistants that are to know it, and to take it to another daemon.
extension APIHandlers {
    /// What agents' sources may come to in one answer.
    private static let sourcesBytesMax = 32 * 1024 * 1024
    private static let approvalsMax = 1_000

    /// Secrets are not in it: what has some says their names. Sources are, for whoever may deploy.
    func exportContext(_ request: APIRequest) async throws -> APIAnswer {
        // The document is made in memory: as few at a time as other long reads.
        let place = try takeListPlace(request)
        defer { withExtendedLifetime(place) {} }
        var errors: [(name: String, message: String)] = []
        let agents = try await self.agents(request, &errors)
        var kinds: [(name: String, items: [JSONText])] = [("agents", agents)]
        for (name, kind) in [
            ("tools", ResourceKind.tool), ("model_providers", .modelProvider), ("policies", .policy),
            ("identity_providers", .identityProvider), ("model_aliases", .modelAlias),
        ] {
            let secrets = kind == .policy ? [:] : try await secretNames(kind, request)
            let records = try await projections.resources(kind, in: request.workspace)
            kinds.append((name, records.map { $0.json(secrets: secrets[$0.name] ?? []) }))
        }
        let approvals = try await projections.accessRequests(
            status: .pending, by: ListOrder(.createdAt, isDescending: true), after: nil, limit: Self.approvalsMax,
            in: request.workspace)
        if approvals.hasMore {
            errors.append(
                ("approvals", "there are more than \(Self.approvalsMax): list them with a limit and a cursor"))
        }
        let own = request.principal.agent
        let shown = approvals.records.filter { own == nil || own == $0.agentID }
        kinds.append(("approvals", shown.map(\.json)))
        let drafts = own == nil ? try await projections.resources(.deployDraft, in: request.workspace) : []
        kinds.append(("drafts", drafts.map { $0.draftJSON(showsSources: false) }))
        let settings = try await projections.resources(.settings, in: request.workspace)
        let answer = JSONText.object { json in
            json.add("generated_at", now)
            json.add("namespace", request.workspace.text)
            json.add("user_id", request.principal.endUser?.userID ?? request.principal.name)
            json.add(
                "resources",
                JSONText.object { resources in
                    for (name, items) in kinds { resources.add(name, items) }
                    resources.add(
                        "settings", JSONText.object { for record in settings { $0.add(record.name, record.document) } })
                })
            json.add("errors", JSONText.object { for error in errors { $0.add(error.name, error.message) } })
            json.add(
                "meta",
                JSONText.object { meta in
                    meta.add("counts", JSONText.object { for (name, items) in kinds { $0.add(name, items.count) } })
                    meta.add("sluice_version", configuration.version)
                    meta.add("secrets", "none is in an export: secrets_set has the names of those to give again")
                })
        }
        return APIAnswer(.ok, answer)
    }

    private func agents(
        _ request: APIRequest, _ errors: inout [(name: String, message: String)]
    ) async throws -> [JSONText] {
        let mayDeploy = Permission.manageResources.isGranted(to: request.principal)
        let secrets = try await secretNames(.agent, request)
        var bytes = 0
        var (agents, withoutSources): ([JSONText], [String]) = ([], [])
        for record in try await resources(.agent, request) {
            var text = record.json(secrets: secrets[record.name] ?? [])
            if mayDeploy {
                bytes += record.document.text.utf8.count
                if bytes <= Self.sourcesBytesMax {
                    text = text.value.adding("deploy", record.deployBody).text
                } else {
                    withoutSources.append(record.name)
                }
            }
            agents.append(text)
        }
        if !withoutSources.isEmpty {
            errors.append(
                (
                    "agents",
                    "all sources together are larger than \(Self.sourcesBytesMax) bytes; without them are "
                        + withoutSources.prefix(20).joined(separator: ", ")
                        + (withoutSources.count > 20 ? " and \(withoutSources.count - 20) more" : "")
                ))
        }
        return agents
    }
}

extension ResourceRecord {
    /// The body of a deploy that makes this agent again, but for its secrets.
    fileprivate var deployBody: JSONValue {
        let document = document.value
        let spec = document["spec"] ?? .null
        var members: [JSONValue.Member] = [.init(name: "agent_name", value: .string(name))]
        func add(_ name: String, _ value: JSONValue?) {
            if let value, value != .null { members.append(.init(name: name, value: value)) }
        }
        add("image", spec["image"])
        add("system_prompt", spec["systemPrompt"])
        if case .array(let tools)? = spec["requiredTools"] {
            add("required_tools", .array(tools.compactMap { $0["name"] }))
        }
        if document["llm_configs"] == nil { add("llm_config", spec["llmConfig"]) }
        add("env", spec["env"])
        add("isolation", spec["isolation"])
        add("labels", document["labels"])
        // A draft belongs to the daemon that it was made in.
        for name in DeployOrder.keptMembers where name != "draft_id" { add(name, document[name]) }
        return .object(members)
    }
}

extension JSONValue {
    fileprivate func adding(_ name: String, _ value: JSONValue) -> JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(members + [.init(name: name, value: value)])
    }
}
