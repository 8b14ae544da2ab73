import Domain

/// A deploy that somebody is putting together, as it is stored: the members that are known, as they came.
struct DraftDocument: Sendable {
    enum Status: String, Sendable, CaseIterable {
        case inProgress = "IN_PROGRESS"
        case completed = "COMPLETED"
        case abandoned = "ABANDONED"

        /// The status that a request names.
        static func named(_ text: String?) throws(APIError) -> Status? {
            guard let text else { return nil }
            guard let status = Status(rawValue: text) else {
                throw .badRequest("status must be one of \(allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return status
        }
    }

    /// What clients give and are shown; the last four are ours.
    private static let shown = [
        "step", "artifact_id", "source_type", "runtime_family", "adapter", "policies", "required_tool_names",
        "recommended_tool_names", "tool_mappings", "tool_states", "model_mappings", "agent_config",
        "source_files", "requirements", "entry_point", "framework",
    ]

    private(set) var value: JSONValue

    init(stored value: JSONValue) { self.value = value }

    /// A new one, of a body.
    init(_ body: JSONValue, user: String, owner: String) throws(APIError) {
        value = .object([
            .init(name: "user_id", value: .string(user)), .init(name: "owner", value: .string(owner)),
            .init(name: "status", value: .string(Status.inProgress.rawValue)),
        ])
        try change(body)
    }

    var status: Status { value["status"]?.string.flatMap(Status.init) ?? .inProgress }
    var user: String? { value["user_id"]?.string }
    /// Whose it is, in a way that names do not repeat.
    var owner: String? { value["owner"]?.string }

    /// The members as clients see them, in their order.
    var members: [JSONValue.Member] {
        Self.shown.compactMap { name in value[name].map { .init(name: name, value: $0) } }
    }

    mutating func set(_ status: Status) { set("status", .string(status.rawValue)) }

    /// Takes over the members that the body has, each as a whole; `null` takes one away.
    mutating func change(_ body: JSONValue) throws(APIError) {
        try Self.check(body)
        for name in Self.shown {
            guard let given = body[name] else { continue }
            set(name, given == .null ? nil : given)
        }
    }

    private mutating func set(_ name: String, _ member: JSONValue?) {
        guard case .object(var members) = value else { return }
        members.removeAll { $0.name == name }
        if let member { members.append(.init(name: name, value: member)) }
        value = .object(members)
    }

    private static func check(_ body: JSONValue) throws(APIError) {
        for name in [
            "step", "artifact_id", "source_type", "runtime_family", "adapter", "requirements", "entry_point",
            "framework",
        ] { _ = try body.text(name) }
        for name in ["policies", "required_tool_names", "recommended_tool_names"] { _ = try body.texts(name) }
        for name in ["tool_mappings", "tool_states"] { try checkTexts(body, name) }
        for name in shown where name != "source_files" {
            try CredentialFields.refuse(
                in: body[name], name, hint: "register it with the tool or model provider; a draft keeps no secrets")
        }
        if let sources = try body.object("source_files") { try DeployOrder.checkSources(sources) }
        try checkModels(body)
        guard let agent = try body.object("agent_config") else { return }
        do throws(APIError) {
            for name in ["agent_name", "system_prompt", "custom_image", "identity_provider"] {
                _ = try agent.text(name)
            }
            _ = try agent.bool("use_custom_image")
            let mode = try agent.text("access_mode")
            guard mode == nil || mode == "open" || mode == "authenticated" else {
                throw .badRequest("access_mode must be open or authenticated")
            }
        } catch {
            throw .badRequest("agent_config.\(error.message)")
        }
    }

    private static func checkTexts(_ body: JSONValue, _ name: String) throws(APIError) {
        guard case .object(let members)? = try body.object(name) else { return }
        for member in members where member.value.string == nil {
            throw .badRequest("\(name).\(member.name.excerpt) must be a string")
        }
    }

    private static func checkModels(_ body: JSONValue) throws(APIError) {
        guard case .object(let mappings)? = try body.object("model_mappings") else { return }
        for mapping in mappings {
            let field = "model_mappings.\(mapping.name.excerpt)"
            guard case .object = mapping.value else { throw .badRequest("\(field) must be an object") }
            do throws(APIError) {
                for name in ["provider", "model"] { _ = try mapping.value.requiredText(name) }
            } catch {
                throw .badRequest("\(field).\(error.message)")
            }
            let limits = JSONValue.object([.init(name: "llm_config", value: mapping.value)])
            do throws(APIError) { try ModelConfigurations.check(limits) } catch {
                throw .badRequest(error.message.replacing("llm_config", with: field))
            }
        }
    }
}

extension DraftDocument {
    /// The body of the deploy that the draft stands for; what `body` says itself goes before.
    func deployBody(_ id: String, over body: JSONValue) throws(APIError) -> JSONValue {
        let agent = value["agent_config"] ?? .null
        let providers = [try body.text("identity_provider"), try agent.text("identity_provider")]
        guard agent["access_mode"]?.string != "authenticated" || providers != [nil, nil] else {
            throw .badRequest(
                "agent_config.identity_provider is required with access_mode authenticated: it proves who invokes")
        }
        var members: [JSONValue.Member] = []
        func add(_ name: String, _ member: JSONValue?) {
            let given = body[name].flatMap { $0 == .null ? nil : $0 }
            // An explicit null clears what would stay, unless the draft has it.
            let clears = body[name] == .null && AgentInheritance.members.contains(name)
            guard let member = given ?? member ?? (clears ? .null : nil) else { return }
            members.append(.init(name: name, value: member))
        }
        // A deploy that brings its own code is not one of the draft's.
        let bringsCode = ["image", "source_files", "artifact_id"].contains { (body[$0] ?? .null) != .null }
        let usesImage = try agent.bool("use_custom_image") ?? true
        let image = usesImage ? agent["custom_image"] : nil
        let tools = value["tool_mappings"]
        add("agent_name", body["name"] ?? agent["agent_name"])
        add("image", bringsCode ? nil : image)
        for name in ["source_files", "artifact_id"] {
            add(name, bringsCode || (image?.string?.isEmpty == false) ? nil : value[name])
        }
        for name in ["requirements", "entry_point", "framework"] { add(name, bringsCode ? nil : value[name]) }
        add("system_prompt", agent["system_prompt"])
        add("identity_provider", agent["access_mode"]?.string == "open" ? .null : agent["identity_provider"])
        add("policies", value["policies"])
        add("required_tools", value["required_tool_names"].map { Self.mapped($0, tools) })
        add("tool_url_mappings", tools.map(Self.addresses))
        add("llm_configs", value["model_mappings"].map(Self.models))
        for name in [
            "tools_to_create", "llm_config", "env", "labels", "invoke_url", "monthly_budget_usd", "isolation", "limits",
            "execution_mode",
        ] {
            add(name, nil)
        }
        members.append(.init(name: "draft_id", value: .string(id)))
        return .object(members)
    }

    /// The names that the draft refers to, at their places in the document of an agent.
    var references: JSONValue {
        let tools = value["tool_mappings"]
        var members: [JSONValue.Member] = []
        for name in ["source_files", "artifact_id", "policies", "entry_point"] {
            if let member = value[name] { members.append(.init(name: name, value: member)) }
        }
        if let tools { members.append(.init(name: "tool_url_mappings", value: Self.addresses(tools))) }
        if let models = value["model_mappings"] {
            members.append(.init(name: "llm_configs", value: Self.models(models)))
        }
        if let provider = value["agent_config"]?["identity_provider"] {
            members.append(.init(name: "identity_provider", value: provider))
        }
        if let names = value["required_tool_names"] {
            let spec = JSONValue.Member(name: "requiredTools", value: Self.mapped(names, tools))
            members.append(.init(name: "spec", value: .object([spec])))
        }
        return .object(members)
    }

    /// The tools under the names that they are registered by.
    private static func mapped(_ names: JSONValue, _ mappings: JSONValue?) -> JSONValue {
        guard case .array(let names) = names else { return names }
        return .array(names.map { name in name.string.flatMap { mappings?[$0] } ?? name })
    }

    /// The mappings of addresses that stand in the code.
    private static func addresses(_ mappings: JSONValue) -> JSONValue {
        guard case .object(let members) = mappings else { return mappings }
        return .object(members.filter { $0.name.contains("://") })
    }

    private static func models(_ mappings: JSONValue) -> JSONValue {
        guard case .object(let members) = mappings else { return .array([]) }
        return .array(
            members.map { mapping in
                guard case .object(let model) = mapping.value else { return mapping.value }
                return .object([.init(name: "role", value: .string(mapping.name))] + model)
            })
    }
}
