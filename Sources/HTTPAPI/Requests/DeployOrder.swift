import Domain

/// A deploy as a body asks for it, checked: the agent, and the tools that it brings.
struct DeployOrder: Sendable {
    /// What is kept of a body as it came.
    static let keptMembers = [
        "llm_configs", "source_files", "artifact_id", "requirements", "entry_point", "framework", "identity_provider",
        "policies", "tool_url_mappings", "draft_id", "invoke_url", "monthly_budget_usd", "limits",
    ]

    /// The body with its `files`, as the clients of the older API name them, under `source_files`.
    ///
    /// - Throws: 400 when it has both, of which one would be left out.
    static func normalized(_ body: JSONValue) throws(APIError) -> JSONValue {
        guard case .object(var members) = body, let files = body["files"], files != .null else { return body }
        guard body["source_files"] ?? .null == .null else {
            throw .badRequest("files and source_files are names of the same member: send all files under source_files")
        }
        members.removeAll { $0.name == "files" || $0.name == "source_files" }
        return .object(members + [.init(name: "source_files", value: files)])
    }

    let agentName: String
    /// The findings of an analysis, in the place of names that the body does not have.
    var found: FoundStart?
    private let document: JSONValue
    let tools: [ResourcesToStore.Item]
    private let environment: EnvironmentVariables
    private let inheritance: AgentInheritance

    /// - Parameter inheritance: what an agent of that name keeps; by default, what the body does not name.
    init(_ body: JSONValue, keeping inheritance: AgentInheritance? = nil) throws(APIError) {
        guard let name = try body.text("agent_name", "name") else { throw .badRequest("agent_name is required") }
        let sources = try body.object("source_files")
        guard try body.text("image", "artifact_id") != nil || sources.map({ $0 != .object([]) }) == true else {
            throw .badRequest("either image or source_files is required")
        }
        if let sources { try Self.checkSources(sources) }
        var tools: [ResourcesToStore.Item] = []
        for tool in try body.array("tools_to_create") ?? [] {
            guard case .object = tool else { throw .badRequest("tools_to_create must be an array of objects") }
            _ = try ToolDocument.flatSpec(tool)
            var secrets: [NamedSecret] = []
            let document = try ToolDocument.document(tool, &secrets)
            tools.append(.init(kind: .tool, name: try ToolDocument.name(tool), document: document, secrets: secrets))
        }
        environment = try EnvironmentVariables(body)
        document = try Self.agentDocument(body, environment)
        agentName = name
        self.tools = tools
        self.inheritance = inheritance ?? AgentInheritance(ofDeploy: body)
    }

    /// The agent as it is stored.
    var agent: JSONText {
        var document = document
        document.set(FoundStart.member, found?.value)
        return document.text
    }

    /// What is stored by it: all or nothing.
    var resources: [ResourcesToStore.Item] {
        tools + [
            ResourcesToStore.Item(
                kind: .agent, name: agentName, document: agent, secrets: environment.secrets,
                keptSecrets: environment.kept, inheritance: inheritance)
        ]
    }

    /// The agent as it is stored: the documented spec, and beside it what a redeploy or a later driver needs.
    private static func agentDocument(
        _ body: JSONValue, _ environment: EnvironmentVariables
    ) throws(APIError) -> JSONValue {
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
        if let isolation = try body.text("isolation") {
            guard isolation == "run" else {
                throw APIError.badRequest("isolation must be \"run\", or absent for runs that share a process")
            }
            spec.append(.init(name: "isolation", value: .string(isolation)))
        }
        var members: [JSONValue.Member] = [
            .init(name: "labels", value: try body.object("labels") ?? .object([])),
            .init(name: "spec", value: .object(spec)),
        ]
        try ModelConfigurations.check(body)
        try checkLimits(try body.object("limits"))
        _ = try body.texts("policies")
        for name in ["requirements", "entry_point", "framework"] { _ = try body.text(name) }
        _ = try body.object("tool_url_mappings")
        if let address = try body.text("invoke_url") { try checkURL(address, "invoke_url") }
        for name in keptMembers {
            if let value = body[name], value != .null { members.append(.init(name: name, value: value)) }
        }
        return .object(members)
    }

    private static func checkLimits(_ limits: JSONValue?) throws(APIError) {
        guard let limits, case .object(let members) = limits else { return }
        let areKnown = members.allSatisfy { RunLimitOverrides.names.contains($0.name) }
        let areValid = RunLimitOverrides.names.allSatisfy { name in
            guard let value = limits[name] else { return true }
            return name == "model_cost_usd"
                ? AgentModels.budget(value).map { $0 > .zero } ?? false : RunLimitOverrides.count(value) != nil
        }
        guard areKnown, areValid else {
            throw .badRequest(
                "limits has \(RunLimitOverrides.names.joined(separator: ", ")): whole numbers from 1 to "
                    + "\(RunLimitOverrides.countMax), and an amount of US dollars")
        }
    }

    /// What could not be a bundle is refused at once; the rest is the agent's status.
    static func checkSources(_ sources: JSONValue) throws(APIError) {
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
