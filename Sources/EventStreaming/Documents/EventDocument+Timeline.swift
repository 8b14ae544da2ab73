import Domain

/// Members that clients read of timeline entries, beside those that the log has of an event.
extension EventDocument.TimelineContent {
    mutating func complete(for event: Event, _ vocabulary: TimelineVocabulary, repeating call: ToolCalled?) {
        switch event.payload {
        case .actionApproved, .actionRejected: add(.members(["approver_id": .string(event.actor.name)]))
        case .toolCallReplayed:
            guard let call else { return }
            payloadHash = call.call.payloadHash.text
            add(EventDocument.members(of: call))
        case .toolCallRefused(let refused): add(.members(["message": .string(refused.reason)]))
        case .payloadMismatched where vocabulary == .v1:
            let message = "the call is not the one that was approved"
            add(.members(["status_code": .number("409"), "message": .string(message)]))
        case .actionVoted(let voted) where vocabulary == .v1:
            let message = "\(voted.approverID) approves; further approvals are required"
            add(.members(["message": .string(message)]))
        case .modelCalled(let called) where vocabulary == .v1:
            add(.members(["tool_id": .string(called.provider), "capability": .string(called.model)]))
        default: break
        }
    }

    /// Adds the members that are not there yet.
    private mutating func add(_ added: JSONValue) {
        guard case .object(let members) = data?.value ?? .object([]), case .object(let added) = added else { return }
        let names = Set(members.map(\.name))
        data = JSONValue.object(members + added.filter { !names.contains($0.name) }).text
    }
}

extension EventDocument {
    /// The tool, the request and the status of a call.
    fileprivate static func members(of called: ToolCalled) -> JSONValue {
        .members([
            "tool_id": .string(called.call.toolID), "tool_method": .string(called.call.method),
            "tool_url": .string(called.call.url), "payload_hash": .string(called.call.payloadHash.text),
            "capability": called.call.capability.map(JSONValue.string),
            "status_code": called.outcome.statusCode.map { .number(String($0)) },
        ])
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
