import Domain

/// Members that clients read of timeline entries, beside those that the log has of an event.
extension EventDocument.TimelineContent {
    mutating func complete(for event: Event, _ vocabulary: TimelineVocabulary, repeating call: ToolCalled?) {
        switch event.payload {
        case .actionApproved, .actionRejected: add([.init(name: "approver_id", value: .string(event.actor.name))])
        case .toolCallReplayed:
            guard let call else { return }
            payloadHash = call.call.payloadHash.text
            add(EventDocument.members(of: call))
        case .toolCallRefused(let refused): add([.init(name: "message", value: .string(refused.reason))])
        case .payloadMismatched where vocabulary == .v1:
            add([
                .init(name: "status_code", value: .number("409")),
                .init(name: "message", value: .string("the call is not the one that was approved")),
            ])
        case .actionVoted(let voted) where vocabulary == .v1:
            let message = "\(voted.approverID) approves; further approvals are required"
            add([.init(name: "message", value: .string(message))])
        case .modelCalled(let called) where vocabulary == .v1:
            add([
                .init(name: "tool_id", value: .string(called.provider)),
                .init(name: "capability", value: .string(called.model)),
            ])
        default: break
        }
    }

    /// Adds the members that are not there yet.
    private mutating func add(_ added: [JSONValue.Member]) {
        guard case .object(let members)? = (data?.value ?? .object([])) as JSONValue? else { return }
        let names = Set(members.map(\.name))
        data = JSONValue.object(members + added.filter { !names.contains($0.name) }).text
    }
}

extension EventDocument {
    /// The tool, the request and the status of a call.
    fileprivate static func members(of called: ToolCalled) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = [
            .init(name: "tool_id", value: .string(called.call.toolID)),
            .init(name: "tool_method", value: .string(called.call.method)),
            .init(name: "tool_url", value: .string(called.call.url)),
            .init(name: "payload_hash", value: .string(called.call.payloadHash.text)),
        ]
        if let capability = called.call.capability {
            members.append(.init(name: "capability", value: .string(capability)))
        }
        switch called.outcome {
        case .answered(let status), .unreached(let status, _):
            members.append(.init(name: "status_code", value: .number(String(status))))
        case .unknown: break
        }
        return members
    }

    /// The result of a tool that an agent's runtime reports, with the status of a call that was not let through.
    ///
    /// The runtime reports the body that it received, and clients take a result without a status for a success.
    static func withStatus(_ document: JSONText) -> JSONText {
        let value = document.value
        guard case .object(let members) = value, value["status_code"] == nil,
            let status = value["result"].flatMap(refusedStatus)
        else { return document }
        return JSONValue.object(members + [.init(name: "status_code", value: .number(String(status)))]).text
    }

    /// The status that a result speaks of: that of the gate's own code, or that of the runtime's `HTTP 502`.
    private static func refusedStatus(_ result: JSONValue) -> UInt32? {
        var answer = result
        if let text = result.string {
            guard text.utf8.count <= refusalBytesMax, let parsed = try? JSONValue(parsing: Array(text.utf8)) else {
                return nil
            }
            answer = parsed
        }
        if let code = answer["code"]?.string, let status = gateStatuses[code] { return status }
        guard let error = answer["error"]?.string, error.hasPrefix("HTTP ") else { return nil }
        return UInt32(error.dropFirst(5)).flatMap { (400...599).contains($0) ? $0 : nil }
    }

    /// The gate's refusals are smaller than this, in bytes.
    private static let refusalBytesMax = 65_536

    private static let gateStatuses: [String: UInt32] = [
        "APPROVAL_REQUIRED": 403, "CONSENT_REQUIRED": 403, "POLICY_DENIED": 403, "PAYLOAD_MISMATCH": 409,
        "HEADERS_MISMATCH": 409, "ATTEMPT_SUPERSEDED": 409,
    ]
}
