import Domain
import EventStreaming

/// What is to be said of an action before it is carried out.
struct PlanCheck: Hashable, Sendable {
    var errors: [String] = []
    var warnings: [String] = []
}

/// What became of an action.
struct PlanResult: Sendable {
    enum Status: String, Sendable {
        case applied, failed, skipped, invalid
    }

    let action: ActionPlan.Action
    let status: Status
    private let error: String?
    private let output: JSONText?

    init(_ action: ActionPlan.Action, _ status: Status, error: String? = nil, output: JSONText? = nil) {
        self.action = action
        self.status = status
        self.error = error.flatMap { $0.isEmpty ? nil : $0 }
        self.output = output
    }

    var json: JSONText {
        .object { json in
            json.add("id", action.id)
            json.add("type", action.type)
            json.add("idempotency_key", action.key)
            json.add("status", status.rawValue)
            json.add("resource_ref", action.reference(output?.value))
            json.add("error", error)
            json.add("output", output)
        }
    }
}

extension ActionPlan.Action {
    func json(_ found: PlanCheck) -> JSONText {
        .object { json in
            json.add("id", id)
            json.add("type", type)
            json.add("idempotency_key", key)
            json.add("valid", found.errors.isEmpty)
            json.add("errors", found.errors)
            json.add("warnings", found.warnings)
            json.add("resource_ref", reference(nil))
        }
    }

    /// `tool/bank`: what it is about, as far as that is known.
    ///
    /// - Parameter output: what the action's endpoint answered.
    func reference(_ output: JSONValue?) -> String? {
        let (kind, name): (ResourceKind, String?)
        switch self.kind {
        case .tool: (kind, name) = (.tool, params["name"]?.string)
        case .modelProvider: (kind, name) = (.modelProvider, params["name"]?.string)
        case .policy: (kind, name) = (.policy, params["name"]?.string)
        case .draft:
            (kind, name) = (.deployDraft, output?["id"]?.string ?? params["id"]?.string ?? params["draft_id"]?.string)
        case .deploy:
            (kind, name) = (.agent, output?["agent"]?.string ?? params["agent_name"]?.string ?? params["name"]?.string)
        case .starterKit: return "starter_kit"
        case nil: return nil
        }
        return name.map { "\(kind.singular)/\($0)" }
    }
}
