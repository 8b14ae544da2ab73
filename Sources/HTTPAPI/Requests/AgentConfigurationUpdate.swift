import Domain

/// What a request changes of an agent's configuration: the members that it gives, and nothing else.
struct AgentConfigurationUpdate: Sendable {
    private let body: JSONValue
    let requiredTools: [String]?
    let policies: [String]?
    /// Empty takes it away.
    let identityProvider: String?
    /// The model providers that the models name.
    let modelProviders: [String]

    init(_ body: JSONValue) throws(APIError) {
        self.body = body
        for name in ["llm_configs", "identity_provider"] {
            try CredentialFields.refuse(in: body[name], name, hint: "register it with the model provider")
        }
        try ModelConfigurations.check(body)
        requiredTools = try Self.names("required_tools", body)
        policies = try Self.names("policies", body)
        identityProvider = try Self.string("identity_provider", body)
        _ = try Self.string("system_prompt", body)
        var providers: [String] = []
        for (index, value) in (try body.array("llm_configs") ?? []).enumerated() {
            guard try value.text("model") != nil else { throw .badRequest("llm_configs[\(index)].model is required") }
            if let name = try value.text("model_provider"), !providers.contains(name) { providers.append(name) }
        }
        modelProviders = providers
    }

    /// Whether it changes anything at all.
    var isEmpty: Bool {
        let members = [
            "system_prompt", "identity_provider", "llm_configs", "required_tools", "policies",
        ]
        return members.allSatisfy { (body[$0] ?? .null) == .null } && body["monthly_budget_usd"] == nil
    }

    /// The agent's document with the changes in it.
    func applied(to document: JSONValue) throws(APIError) -> JSONValue {
        var (document, spec) = (document, document["spec"] ?? .object([]))
        if let prompt = try Self.string("system_prompt", body) {
            spec.set("systemPrompt", prompt.isEmpty ? nil : .string(prompt))
        }
        if let requiredTools {
            let tools = requiredTools.map { JSONValue.object([.init(name: "name", value: .string($0))]) }
            spec.set("requiredTools", .array(tools))
        }
        if let configurations = try body.array("llm_configs") {
            document.set("llm_configs", .array(configurations))
            spec.set("llmConfig", configurations.first)
        }
        if let policies { document.set("policies", .array(policies.map(JSONValue.string))) }
        if let identityProvider {
            document.set("identity_provider", identityProvider.isEmpty ? nil : .string(identityProvider))
        }
        if let budget = body["monthly_budget_usd"] {
            document.set("monthly_budget_usd", budget == .null ? nil : budget)
        }
        document.set("spec", spec)
        return document
    }

    private static func string(_ name: String, _ body: JSONValue) throws(APIError) -> String? {
        _ = try body.text(name)
        return body[name]?.string
    }

    private static func names(_ field: String, _ body: JSONValue) throws(APIError) -> [String]? {
        guard let names = try body.texts(field) else { return nil }
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }
}

extension JSONValue {
    /// Puts the member in the place of an older one, or at the end; `nil` takes it out.
    mutating func set(_ name: String, _ value: JSONValue?) {
        guard case .object(var members) = self else { return }
        let index = members.firstIndex { $0.name == name }
        members.removeAll { $0.name == name }
        if let value { members.insert(.init(name: name, value: value), at: index ?? members.endIndex) }
        self = .object(members)
    }
}
