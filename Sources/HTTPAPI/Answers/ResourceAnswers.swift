import Domain
import EventStreaming
import Governance
import Projections

extension ResourceRecord {
    /// - Parameters:
    ///   - usedBy: for a policy, the agents that name it.
    ///   - secrets: the names of its secrets; that they are set is all that is shown of them.
    ///   - control: the stop in force.
    ///   - known: for an agent, the names that it may refer to.
    func json(
        usedBy agents: [String] = [], secrets: [String] = [], control: ControlRecord? = nil,
        known: AgentFindings.Known? = nil
    ) -> JSONText {
        let document = document.value
        let spec = document["spec"] ?? .object([])
        let findings = known.map { AgentFindings(document, $0) }
        return .object { json in
            json.add("name", name)
            json.add("namespace", workspace.text)
            switch kind {
            case .agent:
                json.add("labels", (document["labels"] ?? .object([])).text)
                json.add("spec", spec.text)
            case .tool:
                json.add("spec", Self.toolSpecWithAliases(spec).text)
            case .policy, .modelProvider, .modelAlias, .identityProvider, .approvalConnector, .deployDraft, .settings:
                json.add("spec", spec.text)
            }
            json.add("status", status(spec, control, missing: findings?.summary))
            if !secrets.isEmpty { json.add("secrets_set", secrets) }
            if kind == .agent {
                json.add("version", revision)
                json.add("serving_version", servingRevision)
                findings?.add(to: &json)
            }
            if kind == .policy {
                let warnings = Policy.unknownMembers(spec: spec)
                if !warnings.isEmpty { json.add("warnings", warnings) }
                json.add(
                    "used_by",
                    agents.map { agent in
                        JSONText.object { use in
                            use.add("name", agent)
                            use.add("namespace", workspace.text)
                        }
                    })
            }
            addAliases(spec, to: &json)
        }
    }

    /// - Parameter missing: what the agent names and the workspace does not have, in one line.
    private func status(_ spec: JSONValue, _ control: ControlRecord?, missing: String?) -> JSONText {
        .object { json in
            switch kind {
            case .agent:
                json.add("phase", control.map { _ in ControlRecord.phase } ?? (isRunHere ? phase : nil) ?? "Pending")
                json.add("message", control?.message ?? Self.message(agentMessage, adding: missing))
            case .tool:
                json.add("phase", control.map { _ in ControlRecord.phase } ?? phase ?? "Pending")
                json.add("message", control?.message ?? statusMessage)
                json.add("last_probe_time", probedAt)
                json.add("probe_latency_ms", latencyMilliseconds)
            case .policy:
                json.add("ready", true)
                json.add("message", "enforced at the gate")
            case .modelProvider:
                json.add("phase", phase ?? "Pending")
                json.add(
                    "message",
                    phase == nil ? "stored; POST …/test asks whether it answers" : statusMessage ?? "it answers")
                json.add("last_probe_time", probedAt)
                json.add("probe_latency_ms", latencyMilliseconds)
            case .approvalConnector, .deployDraft, .settings, .modelAlias: json.add("ready", true)
            case .identityProvider:
                json.add("ready", true)
                json.add(
                    "message",
                    spec["role"]?.string.map { "its people invoke agents, and sign in as \($0)" }
                        ?? "its people invoke agents")
            }
        }
    }

    /// Whether Sluice itself runs it, for an agent.
    var hasSources: Bool {
        if case .object(let files)? = document.value["source_files"] { !files.isEmpty } else { false }
    }

    /// True when Sluice runs it, from sources or, where something was recorded of that, from its image.
    var isRunHere: Bool {
        hasSources || (document.value["invoke_url"] == nil && (statusMessage != nil || servingRevision != nil))
    }

    private var agentMessage: String {
        if isRunHere {
            let message = statusMessage ?? "stored; its build begins in a moment"
            guard let servingRevision, servingRevision != revision else { return message }
            return "version \(servingRevision) serves, version \(revision) does not: \(message)"
        }
        if document.value["invoke_url"] != nil { return "stored; called at its invoke_url" }
        return "stored; this machine has no container engine configured to run an image: deploy it with the invoke_url "
            + "where it runs, or name that in each run"
    }

    /// A status message whose first line says what is missing, too.
    private static func message(_ message: String, adding missing: String?) -> String {
        guard let missing else { return message }
        let end = message.firstIndex(where: \.isNewline) ?? message.endIndex
        return "\(message[..<end]); \(missing)\(message[end...])"
    }

    /// The names beside the documented ones that the published clients of both eras read.
    private func addAliases(_ spec: JSONValue, to json: inout JSONObject) {
        switch kind {
        case .agent:
            json.add("image", spec["image"]?.text)
            json.add("required_tools", spec["requiredTools"].map(Self.names)?.text)
            json.add("llm_config", spec["llmConfig"]?.text)
            json.add("created_at", createdAt)
        case .tool:
            let connection = spec["connection"]
            json.add("base_url", connection?["baseUrl"]?.text)
            json.add("topology", connection?["topology"]?.text)
            json.add("auth", connection?["authentication"]?.text)
            json.add("access_mode", spec["governance"]?["accessControl"]?["mode"]?.text)
        case .modelProvider:
            json.add("provider", spec["provider"]?.text)
            json.add("endpoint", spec["endpoint"]?.text)
            json.add("models", spec["models"]?.text)
        case .policy, .identityProvider, .approvalConnector, .deployDraft, .settings, .modelAlias: break
        }
    }

    private static func names(_ tools: JSONValue) -> JSONValue {
        guard case .array(let values) = tools else { return .array([]) }
        return .array(values.compactMap { $0["name"] })
    }

    private static func toolSpecWithAliases(_ spec: JSONValue) -> JSONValue {
        guard case .object(var members) = spec else { return spec }
        if let topology = spec["connection"]?["topology"], spec["topology"] == nil {
            members.append(.init(name: "topology", value: topology))
        }
        if let mode = spec["governance"]?["accessControl"]?["mode"], spec["accessMode"] == nil {
            members.append(.init(name: "accessMode", value: mode))
        }
        return .object(members)
    }
}
