package import Domain
import GRDB

/// An access request as readers see it.
package struct AccessRequestRecord: Hashable, Sendable {
    package let id: AccessRequestID
    package let workspace: WorkspaceName
    package let subject: String
    package let toolID: String
    package let agentID: String?
    package let runID: RunID?
    package let actionID: ActionID?
    package let capability: String?
    package let payloadHash: String?
    /// Digest of the bound headers of a call that the gate blocked.
    package let headersHash: String?
    package let method: String?
    package let url: String?
    package let status: AccessRequestStatus
    package let duration: Duration
    package let scope: AccessScope?
    package let approverID: String?
    package let reason: String?
    package let expiresAt: Timestamp
    package let createdAt: Timestamp
    package let updatedAt: Timestamp
    /// True when the gate asks, for one call; a client does otherwise.
    package let isForOneCall: Bool
    /// The position of the request's first event: requests sort by it.
    package let position: Position
    /// The tool that a grant would be for; `nil` when there was none of that name.
    package let tool: ToolIdentity?

    /// The action that a client made and that the request is for; `nil` for a request that the log has.
    package var ownAction: (run: RunID, action: ActionID)? {
        guard let runID, let actionID, actionID.value == id.value else { return nil }
        return (runID, actionID)
    }

    /// The calls that a grant covers, for a request that a client made; `nil` for those of the gate.
    package var coverage: GrantCoverage? {
        guard !isForOneCall else { return nil }
        return GrantCoverage(
            subject: subject, agent: agentID, tool: toolID, run: runID,
            stated: (capability, method, url, payloadHash.map(PayloadHash.init)))
    }

    init(_ row: Row) throws {
        id = try row.identifier("id")
        workspace = try row.workspace()
        subject = try row.column("subject")
        toolID = try row.column("tool_id")
        agentID = try row.column("agent_id")
        runID = try row.optionalIdentifier("run_id")
        actionID = try row.optionalIdentifier("action_id")
        capability = try row.column("capability")
        payloadHash = try row.column("payload_hash")
        headersHash = try row.column("headers_hash")
        let toolUID: ResourceID? = try row.optionalIdentifier("tool_uid")
        tool = try toolUID.map { ToolIdentity(id: $0, origin: try row.column("tool_origin") ?? "") }
        method = try row.column("method")
        url = try row.column("url")
        status = try row.value("status")
        duration = .microseconds(try row.column("duration") as Int64)
        scope = (try row.column("scope") as String?).flatMap(AccessScope.init(rawValue:))
        approverID = try row.column("approver_id")
        reason = try row.freeText("reason")
        expiresAt = try row.time("expires_at")
        createdAt = try row.time("created_at")
        updatedAt = try row.time("updated_at")
        isForOneCall = try row.column("for_one_call")
        position = try row.position()
    }
}

/// An agent, tool, policy or model provider as readers see it.
package struct ResourceRecord: Hashable, Sendable {
    package let id: ResourceID
    package let kind: ResourceKind
    package let name: String
    package let workspace: WorkspaceName
    package let revision: UInt64
    package let document: JSONText
    package let phase: String?
    package let statusMessage: String?
    package let probedAt: Timestamp?
    package let latencyMilliseconds: UInt64?
    package let createdAt: Timestamp
    package let updatedAt: Timestamp
    /// The revision of an agent that serves, which is an earlier one until the newest has started; `nil` before one has.
    package let servingRevision: UInt64?

    init(_ row: Row) throws {
        servingRevision = (try row.column("serving_revision") as Int64?).map(UInt64.init(clamping:))
        id = try row.identifier("id")
        kind = try row.value("kind")
        name = try row.column("name")
        workspace = try row.workspace()
        revision = UInt64(clamping: try row.column("revision") as Int64)
        document = JSONText(verified: try row.column("document"))
        phase = try row.column("phase")
        statusMessage = try row.freeText("status_message")
        probedAt = try row.optionalTime("probed_at")
        latencyMilliseconds = (try row.column("latency_ms") as Int64?).map(UInt64.init(clamping:))
        createdAt = try row.time("created_at")
        updatedAt = try row.time("updated_at")
    }
}

/// An API key as readers see it: enough to recognise it, never the key.
package struct APIKeyRecord: Hashable, Sendable {
    package let id: APIKeyID
    package let workspace: WorkspaceName
    package let name: String
    package let role: Role
    package let digest: String
    package let prefix: String
    package let last4: String
    package let expiresAt: Timestamp?
    package let createdAt: Timestamp
    /// The groups of approvers that it stands for.
    package let groups: [String]
    /// The agent that it is for.
    package let agent: String?
    /// True for a key that decides only on requests that name one of its groups.
    package let onlyGroups: Bool
    /// The text that it had before it was rotated, while that is good too.
    let previousDigest: String?
    package let previousUntil: Timestamp?

    /// Whether the text of that digest is good at that time.
    package func accepts(_ digest: String, at now: Timestamp) -> Bool {
        guard digest == self.digest else {
            return digest == previousDigest && previousUntil.map { now < $0 } ?? false
        }
        return expiresAt.map { now < $0 } ?? true
    }

    /// The time from which the text of that digest is no longer good; `nil` when it does not expire.
    package func end(of digest: String) -> Timestamp? { digest == self.digest ? expiresAt : previousUntil }

    init(_ row: Row) throws {
        id = try row.identifier("id")
        workspace = try row.workspace()
        name = try row.column("name")
        role = try row.value("role")
        digest = try row.column("digest")
        prefix = try row.column("prefix")
        last4 = try row.column("last4")
        expiresAt = try row.optionalTime("expires_at")
        createdAt = try row.time("created_at")
        groups = (try row.column("group_names") as String).split(separator: "\n").map(String.init)
        agent = try row.column("agent")
        onlyGroups = try row.column("only_groups")
        previousDigest = try row.column("previous_digest")
        previousUntil = try row.optionalTime("previous_until")
    }
}

/// How many of each there are, over all workspaces; every status is named, with none too.
package struct ProjectionCounts: Hashable, Sendable {
    package let runs: [RunStatus: Int]
    package let actions: [ActionStatus: Int]
    package let accessRequests: [AccessRequestStatus: Int]

    package var pendingAccessRequests: Int { accessRequests[.pending, default: 0] }
}
