package import Domain
import GRDB

/// A run as readers see it.
package struct RunRecord: Hashable, Sendable {
    package let id: RunID
    package let workspace: WorkspaceName
    package let agentID: String
    package let agentUID: ResourceID?
    package let userID: String
    package let conversationID: String?
    package let invokeURL: String?
    package let initialMessage: String?
    package let status: RunStatus
    package let blockedActionID: ActionID?
    package let reason: String?
    package let createdAt: Timestamp
    package let updatedAt: Timestamp
    /// The agent's answer; of an unfinished run the latest one, which may not be the last.
    package let result: RunResult?
    package let effects: RunEffects
    /// The position of the run's first event: runs sort by it.
    package let position: Position

    init(_ row: Row) throws {
        id = try row.identifier("id")
        workspace = try row.workspace()
        agentID = try row.column("agent_id")
        agentUID = try row.optionalIdentifier("agent_uid")
        userID = try row.column("user_id")
        conversationID = try row.column("conversation_id")
        invokeURL = try row.column("invoke_url")
        initialMessage = try row.freeText("initial_message")
        status = try row.value("status")
        blockedActionID = try row.optionalIdentifier("blocked_action_id")
        reason = try row.freeText("reason")
        createdAt = try row.time("created_at")
        updatedAt = try row.time("updated_at")
        result = try RunResult(row)
        effects = try RunEffects(row)
        position = try row.position()
    }

    /// About how many bytes it takes in a list.
    var listedBytes: Int { 512 + (initialMessage?.utf8.count ?? 0) + (result?.listed?.text.utf8.count ?? 0) }
}

/// A blocked action as readers see it.
package struct ActionRecord: Hashable, Sendable {
    package let id: ActionID
    package let runID: RunID
    package let toolID: String
    package let capability: String?
    package let payloadHash: String?
    /// Digest of the bound headers of a call that the gate blocked.
    package let headersHash: String?
    package let method: String?
    package let url: String?
    package let status: ActionStatus
    package let accessRequestID: AccessRequestID?
    package let reason: String?
    package let approverID: String?
    package let expiresAt: Timestamp
    package let createdAt: Timestamp
    package let updatedAt: Timestamp
    /// Whether it waits, or waited, for the consent of the run's user.
    package let isConsent: Bool
    /// Status of the tool's response to the action's call; `nil` before, and for an action without a call.
    package let toolStatus: Int?

    init(_ row: Row) throws {
        id = try row.identifier("id")
        runID = try row.identifier("run_id")
        toolID = try row.column("tool_id")
        capability = try row.column("capability")
        payloadHash = try row.column("payload_hash")
        headersHash = try row.column("headers_hash")
        method = try row.column("method")
        url = try row.column("url")
        status = try row.value("status")
        accessRequestID = try row.optionalIdentifier("access_request_id")
        reason = try row.freeText("reason")
        approverID = try row.column("approver_id")
        expiresAt = try row.time("expires_at")
        createdAt = try row.time("created_at")
        updatedAt = try row.time("updated_at")
        isConsent = try row.column("is_consent")
        toolStatus = try row.column("tool_status")
    }
}

/// Where an agent stopped, as it saved it.
package struct CheckpointRecord: Hashable, Sendable {
    package let id: CheckpointID
    package let runID: RunID
    package let actionID: String
    package let document: JSONText
    package let createdAt: Timestamp

    init(_ row: Row) throws {
        id = try row.identifier("id")
        runID = try row.identifier("run_id")
        actionID = try row.column("action_id")
        document = JSONText(verified: try row.column("document"))
        createdAt = try row.time("created_at")
    }
}
