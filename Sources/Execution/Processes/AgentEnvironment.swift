package import Domain

/// What the published runtime reads of its environment (contract: the agent's side). Pure.
package struct AgentEnvironment: Sendable {
    /// A tool as the agent is told of it.
    package struct Tool: Sendable {
        let name: String
        let document: JSONValue

        package init(name: String, document: JSONValue) {
            self.name = name
            self.document = document
        }
    }

    /// What the platform says is never the deploy's to change.
    private static let reservedPrefixes = ["TOOL_URL_", "TOOL_", "RUNAGENTS_"]

    let name: String
    let definition: AgentDefinition
    /// Sealed variables, opened; the deploy has an empty value in the place of each.
    let secrets: [String: String]
    let tools: [Tool]
    /// `http://host:port/as/<token>`.
    let gate: String
    let port: Int
    /// `nil` for an image, which knows where its code and its packages are.
    let sourceDirectory: String?
    let environmentDirectory: String?

    package init(
        name: String, definition: AgentDefinition, secrets: [String: String] = [:], tools: [Tool], gate: String,
        port: Int, sourceDirectory: String?, environmentDirectory: String?
    ) {
        self.name = name
        self.definition = definition
        self.secrets = secrets
        self.tools = tools
        self.gate = gate
        self.port = port
        self.sourceDirectory = sourceDirectory
        self.environmentDirectory = environmentDirectory
    }

    package var variables: [String: String] {
        var variables = modelClients.merging(deployed) { _, own in own }.filter { name, _ in
            // With that sign in its name it would be another variable, or none: the process would not start.
            !name.isEmpty && !name.contains("=") && !Self.reservedPrefixes.contains(where: name.hasPrefix)
        }
        if let environmentDirectory {
            variables["PATH"] = environmentDirectory + "/bin:/usr/bin:/bin"
            variables["VIRTUAL_ENV"] = environmentDirectory
        }
        variables["PYTHONUNBUFFERED"] = "1"
        variables["PYTHONDONTWRITEBYTECODE"] = "1"
        variables["AGENT_NAME"] = name
        variables["PORT"] = String(port)
        variables["GOVERNANCE_URL"] = gate
        variables["LLM_GATEWAY_URL"] = gate + "/v1/p/default"
        if let sourceDirectory { variables["RUNAGENTS_USER_CODE_DIR"] = sourceDirectory }
        if sourceDirectory != nil || definition.entryPoint != nil {
            variables["USER_ENTRY_POINT"] = definition.entryPoint
        }
        variables["SYSTEM_PROMPT"] = definition.systemPrompt
        addModels(&variables)
        addTools(&variables)
        return variables
    }

    /// The SDKs of OpenAI and Anthropic find the gate without a word of the agent's, unless its deploy says otherwise. They
    /// insist on a key; the one that counts is in the address.
    private var modelClients: [String: String] {
        let key = "in-the-address"
        return [
            "OPENAI_BASE_URL": gate + "/v1", "OPENAI_API_KEY": key, "ANTHROPIC_BASE_URL": gate,
            "ANTHROPIC_API_KEY": key,
        ]
    }

    private var deployed: [String: String] {
        let plain = definition.variables.map { ($0.name, $0.value) }
        return Dictionary(plain) { _, last in last }.merging(secrets) { _, sealed in sealed }
    }

    private func addModels(_ variables: inout [String: String]) {
        variables["LLM_MODEL"] = definition.model
        variables["LLM_PROVIDER"] = definition.provider
        for role in definition.modelRoles {
            variables["LLM_MODEL_\(role.role.uppercased())"] = role.model
            variables["LLM_PROVIDER_\(role.role.uppercased())"] = role.provider
        }
    }

    private func addTools(_ variables: inout [String: String]) {
        var rewrites: [JSONValue.Member] = []
        let functions = tools.flatMap { ToolFunction.functions(of: $0.name, $0.document) }
        for tool in tools {
            let url = gate + "/egress/" + tool.name.percentEncoded
            variables["TOOL_URL_" + tool.name.uppercased().replacing("-", with: "_")] = url
            if let base = tool.document["spec"]?["connection"]?["baseUrl"]?.string {
                rewrites.append(.init(name: base.withoutTrailingSlash, value: .string(url)))
            }
            for mapping in definition.toolURLMappings where mapping.value == tool.name {
                rewrites.append(.init(name: mapping.name, value: .string(url)))
            }
        }
        variables["TOOL_NAMES"] = tools.map(\.name).joined(separator: ",")
        variables["TOOL_DEFINITIONS_JSON"] = JSONValue.array(functions.map(\.definition)).text.text
        variables["TOOL_ROUTES_JSON"] =
            JSONValue.object(functions.map { .init(name: $0.name, value: $0.route) }).text.text
        variables["TOOL_URL_REWRITES_JSON"] = JSONValue.object(rewrites).text.text
    }
}

extension String {
    fileprivate var withoutTrailingSlash: String { hasSuffix("/") ? String(dropLast()) : self }
}
