import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Projections

extension APIHandlers {
    /// Stores the agent and the tools it brings, all or nothing; the same name again is a redeploy.
    func deploy(_ request: APIRequest) async throws -> APIAnswer {
        let (body, build) = try await withArtifact(request)
        guard let name = try body.text("agent_name", "name") else {
            throw APIError.badRequest("agent_name is required")
        }
        let sources = try body.object("source_files")
        guard try body.text("image", "artifact_id") != nil || sources.map({ $0 != .object([]) }) == true else {
            throw APIError.badRequest("either image or source_files is required")
        }
        if let sources { try Self.checkSources(sources) }
        var tools: [(name: String, document: JSONText, secrets: [NamedSecret])] = []
        for tool in try body.array("tools_to_create") ?? [] {
            guard case .object = tool else { throw APIError.badRequest("tools_to_create must be an array of objects") }
            _ = try ToolDocument.flatSpec(tool)
            var secrets: [NamedSecret] = []
            let document = try ToolDocument.document(tool, &secrets)
            tools.append((try ToolDocument.name(tool), document, secrets))
        }
        try await checkIdentityProvider(request)
        let environment = try EnvironmentVariables(body)
        let agent = try Self.agentDocument(body, environment)
        func owner(_ kind: ResourceKind, _ name: String) -> ResourceKey {
            ResourceKey(workspace: request.workspace, kind: kind, name: name)
        }
        let brought = tools.map { (owner(.tool, $0.name), $0.secrets) } + [(owner(.agent, name), environment.secrets)]
        let receipt = try await execute(sealing: brought, request) { sealed in
            var items = tools.map { tool in
                StoreResources.Item(
                    kind: .tool, name: tool.name, newID: commands.newID(), document: tool.document,
                    secrets: sealed[owner(.tool, tool.name)] ?? [])
            }
            items.append(
                StoreResources.Item(
                    kind: .agent, name: name, newID: commands.newID(), document: agent,
                    secrets: sealed[owner(.agent, name)] ?? [], keptSecrets: environment.kept))
            return .storeResources(StoreResources(items: items))
        }
        let answer = JSONText.object { json in
            json.add("agent", name)
            json.add("namespace", request.workspace.text)
            json.add("tools_created", tools.map(\.name))
            if let build {
                json.add("build_id", Self.buildIDPrefix + build.id.description)
                json.add("image_uri", build.image)
                json.add("execution_mode", "bundle")
                json.add("build_required", false)
            }
            guard request.era == .v1alpha else { return }
            json.add("agent_name", name)
            json.add("status", "deployed")
            json.add("message", "agent \(name) deployed")
        }
        return APIAnswer(.created, answer, position: receipt.position)
    }

    /// Seeds an echo tool and a playground model; what exists already stays as it is.
    func starterKit(_ request: APIRequest) async throws -> APIAnswer {
        let tool = StoreResources.Item(
            kind: .tool, name: "echo-tool", newID: commands.newID(), document: JSONText(verified: Self.echoTool))
        let provider = StoreResources.Item(
            kind: .modelProvider, name: "playground-llm", newID: commands.newID(),
            document: JSONText(verified: Self.playgroundProvider))
        let receipt = try await execute(
            .storeResources(StoreResources(items: [tool, provider], keepsExisting: true)), request)
        let created = receipt.events.compactMap { recorded -> ResourceStored? in
            if case .resourceStored(let stored) = recorded.event.payload { stored } else { nil }
        }
        let answer = JSONText.object { json in
            json.add("status", "ok")
            json.add("message", created.isEmpty ? "the starter kit is in place" : "the starter kit was created")
            json.add("tools_created", created.filter { $0.kind == .tool }.map(\.name))
            json.add("model_providers_created", created.filter { $0.kind == .modelProvider }.map(\.name))
            json.add("tool_created", "echo-tool")
            json.add("model_provider_created", "playground-llm")
        }
        return APIAnswer(request.era == .v1 ? .created : .ok, answer, position: receipt.position)
    }

    private static let echoTool = """
        {"spec":{"description":"Answers with what it is sent","connection":{"topology":"External",\
        "baseUrl":"http://127.0.0.1:8092","port":8092,"scheme":"HTTP","authentication":{"type":"None"}},\
        "governance":{"accessControl":{"mode":"Open"}}}}
        """

    private static let playgroundProvider = """
        {"spec":{"provider":"playground","models":["playground"],"auth":{"type":"None"}}}
        """

    /// The agent as it is stored: the documented spec, and beside it what a redeploy or a later driver needs.
    private static func agentDocument(
        _ body: JSONValue, _ environment: EnvironmentVariables
    ) throws(APIError) -> JSONText {
        for name in ["llm_config", "llm_configs", "identity_provider", "tool_url_mappings"] {
            try CredentialFields.refuse(
                in: body[name], name, hint: "register it with the model provider or tool, or put it in env")
        }
        var spec: [JSONValue.Member] = []
        if let image = try body.text("image") { spec.append(.init(name: "image", value: .string(image))) }
        if let prompt = try body.text("system_prompt") {
            spec.append(.init(name: "systemPrompt", value: .string(prompt)))
        }
        let tools = try body.texts("required_tools") ?? []
        spec.append(
            .init(
                name: "requiredTools",
                value: .array(tools.map { .object([.init(name: "name", value: .string($0))]) })))
        let configs = try body.array("llm_configs") ?? []
        if let config = try body.object("llm_config") ?? configs.first {
            spec.append(.init(name: "llmConfig", value: config))
        }
        spec.append(.init(name: "env", value: .array(environment.document)))
        var members: [JSONValue.Member] = [
            .init(name: "labels", value: try body.object("labels") ?? .object([])),
            .init(name: "spec", value: .object(spec)),
        ]
        try ModelConfigurations.check(body)
        _ = try body.texts("policies")
        _ = try body.object("tool_url_mappings")
        if let address = try body.text("invoke_url") { try checkURL(address, "invoke_url") }
        let kept = [
            "llm_configs", "source_files", "artifact_id", "requirements", "entry_point", "framework",
            "identity_provider", "policies", "tool_url_mappings", "draft_id", "invoke_url",
            "monthly_budget_usd",
        ]
        for name in kept {
            if let value = body[name], value != .null { members.append(.init(name: name, value: value)) }
        }
        return JSONValue.object(members).text
    }

    /// What could not be a bundle is refused at once; the rest is the agent's status.
    private static func checkSources(_ sources: JSONValue) throws(APIError) {
        guard case .object(let files) = sources else { return }
        for file in files {
            guard SourcePath.isValid(file.name) else {
                throw .badRequest(
                    "source_files: \"\(file.name.excerpt)\" must be a relative path without empty parts, . and ..")
            }
            guard file.value.string != nil else {
                throw .badRequest("source_files: \(file.name.excerpt) must be a string")
            }
        }
    }
}
