import Domain

/// Actions in their order, as one request asks for them.
struct ActionPlan: Sendable {
    static let actionsMax = 100
    static let keyBytesMax = 255

    struct Action: Sendable {
        let id: String
        /// As the plan names it.
        let type: String
        let key: String?
        let params: JSONValue
        /// `nil` for a type that is not known.
        let kind: Kind?
        /// What is wrong with it whatever its parameters say.
        let errors: [String]
    }

    enum Kind: String, Sendable, CaseIterable {
        case tool = "tool.upsert"
        case modelProvider = "model_provider.upsert"
        case policy = "policy.upsert"
        case draft = "deploy_draft.create_or_patch"
        case deploy = "deploy.execute"
        case starterKit = "starter_kit.seed"

        /// What its own endpoint asks of the caller.
        var permission: Permission { .manageResources }
    }

    let id: String?
    let continuesOnError: Bool
    let actions: [Action]

    /// - Throws: what no single action can be blamed for.
    init(_ body: JSONValue) throws(APIError) {
        id = try body.text("plan_id")
        continuesOnError = try body.bool("continue_on_error") ?? false
        guard let values = try body.array("actions"), !values.isEmpty else {
            throw .badRequest("actions is required: an array of at least one action")
        }
        guard values.count <= Self.actionsMax else {
            throw .badRequest("actions has more than \(Self.actionsMax) entries: send several plans")
        }
        var (actions, keys): ([Action], Set<String>) = ([], [])
        for (index, value) in values.enumerated() {
            do throws(APIError) {
                guard case .object = value else { throw .badRequest("it must be an object") }
                actions.append(try Self.action(value, index, &keys))
            } catch {
                throw .badRequest("actions[\(index)]: \(error.message)")
            }
        }
        self.actions = actions
    }

    /// The id of the draft that an action makes or changes; `nil` for a draft under a new id.
    static func draftID(_ params: JSONValue) throws(APIError) -> String? { try params.text("id", "draft_id") }

    private static func action(
        _ value: JSONValue, _ index: Int, _ keys: inout Set<String>
    ) throws(APIError) -> Action {
        let type = try value.text("type") ?? ""
        let key = try value.text("idempotency_key")
        let params = try value.object("params") ?? .object([])
        let kind = Kind(rawValue: type)
        var errors: [String] = []
        if kind == nil {
            errors.append("type must be one of \(Kind.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        if let key {
            if key.utf8.count > keyBytesMax { errors.append("idempotency_key is longer than \(keyBytesMax) bytes") }
            if !keys.insert(key).inserted { errors.append("idempotency_key is used twice in this plan") }
        } else {
            errors.append("idempotency_key is required")
        }
        return Action(
            id: try value.text("id") ?? "action-\(index + 1)", type: type, key: key, params: params, kind: kind,
            errors: errors)
    }
}
