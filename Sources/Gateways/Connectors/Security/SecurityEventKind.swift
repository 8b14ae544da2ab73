import Domain

/// What connectors may be told of besides approvals, when they ask for it.
package enum SecurityEventKind: String, Hashable, Sendable, CaseIterable {
    /// A call came with other bytes or headers than were approved.
    case payloadMismatch = "payload_mismatch"
    /// A policy denied a call of a tool.
    case deniedCall = "denied_call"
    /// A key that has ended was used, or one for what its role does not allow.
    case keyMisuse = "key_misuse"

    /// The type under which the log has it; `nil` for what is not recorded.
    package var recordedType: String? {
        switch self {
        case .payloadMismatch: "security.payload_mismatched"
        case .deniedCall: "tool_call.refused"
        case .keyMisuse: nil
        }
    }
}

/// Something to tell of.
struct SecurityNotice: Hashable, Sendable {
    let kind: SecurityEventKind
    /// The event's, where it is recorded: the same after a restart.
    let id: UUIDValue
    let time: Timestamp
    let workspace: WorkspaceName
    let data: [JSONValue.Member]
    /// How many of the same were not told of since the last one that was.
    var suppressed: UInt64 = 0

    init(kind: SecurityEventKind, id: UUIDValue, time: Timestamp, workspace: WorkspaceName, data: [JSONValue.Member]) {
        self.kind = kind
        self.id = id
        self.time = time
        self.workspace = workspace
        self.data = data
    }

    /// `nil` for an event that nobody asks to be told of.
    init?(_ recorded: RecordedEvent) {
        let event = recorded.event
        var data: [JSONValue.Member] = [
            .init(name: "position", value: .number(recorded.position.value)),
            .init(name: "actor", value: .string(event.actor.name)),
        ]
        func add(_ name: String, _ value: String?) {
            if let value { data.append(.init(name: name, value: .string(value))) }
        }
        add("run_id", event.runID?.description)
        switch event.payload {
        case .payloadMismatched(let mismatched):
            kind = .payloadMismatch
            add("action_id", mismatched.actionID.description)
            add("approved_payload_hash", mismatched.approved.text)
            add("payload_hash", mismatched.presented.text)
            add("approved_headers_hash", mismatched.headers?.approved.text)
            add("headers_hash", mismatched.headers?.presented.text)
        case .toolCallRefused(let refused):
            kind = .deniedCall
            add("tool_id", refused.toolID)
            add("method", refused.method)
            add("url", refused.url)
            add("payload_hash", refused.payloadHash.text)
            add("reason", refused.reason)
        default: return nil
        }
        (id, time, workspace) = (event.id.value, event.time, event.workspace)
        self.data = data
    }

    /// What makes two notices the same thing again, of which one a while is enough; `nil` where each one counts.
    var repetition: String? {
        switch kind {
        case .payloadMismatch: return nil
        case .deniedCall, .keyMisuse:
            let parts = ["run_id", "tool_id", "key_id", "reason"].map { name in
                data.first { $0.name == name }?.value.string ?? ""
            }
            return "\(kind.rawValue)\n\(workspace.text)\n" + parts.joined(separator: "\n")
        }
    }

    /// The body of a webhook.
    var body: JSONValue {
        var members = [JSONValue.Member(name: "workspace", value: .string(workspace.text))] + data
        if suppressed > 0 { members.append(.init(name: "suppressed", value: .number(suppressed))) }
        return .members([
            "type": .string("security.\(kind.rawValue)"), "timestamp": .string(time.description),
            "data": .object(members),
        ])
    }
}
