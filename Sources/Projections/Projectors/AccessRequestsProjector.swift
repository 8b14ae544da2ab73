import Domain
import EventStore
import GRDB

/// Access requests, from the question to the end of the grant.
enum AccessRequestsProjector {
    static func apply(_ recorded: RecordedEvent, _ id: AccessRequestID, _ db: Database) throws {
        let time = recorded.event.time.microseconds
        switch recorded.event.payload {
        case .accessRequested(let requested):
            try db.run(
                """
                INSERT INTO access_requests (id, workspace, subject, tool_id, agent_id, run_id, action_id, capability,
                    payload_hash, method, url, status, duration, expires_at, created_at, updated_at, position,
                    for_one_call, headers_hash, tool_uid, tool_origin)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    id.column, recorded.event.workspace.text, requested.subject, requested.toolID, requested.agentID,
                    requested.run?.runID.column, requested.run?.actionID.column, requested.capability,
                    requested.payloadHash?.text, requested.method, requested.url,
                    AccessRequestStatus.pending.rawValue, requested.duration.wholeMicroseconds,
                    requested.expiresAt.microseconds, time, time, Int64(recorded.position.value),
                    requested.isForOneCall, requested.headersHash?.text, requested.tool?.id.column,
                    requested.tool?.origin,
                ])
        case .accessApproved(let approved):
            try db.run(
                """
                UPDATE access_requests SET status = ?, scope = ?, duration = ?, approver_id = ?,
                    reason = ?, expires_at = ?, updated_at = ?
                WHERE id = ?
                """,
                [
                    AccessRequestStatus.approved.rawValue, approved.scope.rawValue,
                    approved.duration.wholeMicroseconds, approved.approverID, approved.reason.freeText,
                    approved.expiresAt.microseconds, time, id.column,
                ])
        case .accessRejected(let rejected):
            try db.run(
                "UPDATE access_requests SET status = ?, approver_id = ?, reason = ?, updated_at = ? WHERE id = ?",
                [AccessRequestStatus.rejected.rawValue, rejected.approverID, rejected.reason.freeText, time, id.column])
        case .accessExpired(let expired):
            try db.run(
                "UPDATE access_requests SET status = ?, reason = coalesce(?, reason), updated_at = ? WHERE id = ?",
                [AccessRequestStatus.expired.rawValue, expired.reason, time, id.column])
        case .resourceStored, .resourceDeleted, .resourceStatusRecorded, .runCreated, .runEventAdded,
            .runStatusChanged, .actionBlocked, .actionApproved, .actionRejected, .actionExpired, .actionExecuted,
            .actionFailed, .checkpointSaved, .toolResultRecorded, .invokeRequested, .invokeCompleted, .invokeFailed,
            .apiKeyCreated, .apiKeyRevoked, .answerRecorded, .toolCallStarted, .toolCalled, .toolCallReplayed,
            .toolCallRefused, .payloadMismatched, .actionVoted, .toolCallInterrupted, .secretStored, .secretDeleted,
            .modelAnswerRecorded, .modelCallReplayed,
            .modelCalled, .apiKeyRotated, .deliveryStarted, .deliveryEnded, .decisionLinkUsed, .sourcesAnalyzed,
            .buildRequested, .buildStarted, .buildFinished, .personErasureRequested, .personErased, .runExpired,
            .keyLossAccepted, .controlStopped, .controlStarted:
            break
        }
    }
}

/// Actions that clients make of their own: they wait for approvers as requests do, under the ids of the actions.
///
/// The log has no request of them, so that no decision on one is a grant (docs/decisions/0044, docs/decisions/0079).
extension AccessRequestsProjector {
    /// What a request names when nothing else is asked for; the approval of an action is for that one.
    private static let duration = Duration.seconds(4 * 60 * 60)

    static func insert(_ blocked: ActionBlocked, of run: RunID, _ recorded: RecordedEvent, _ db: Database) throws {
        let time = recorded.event.time.microseconds
        try db.run(
            """
            INSERT INTO access_requests (id, workspace, subject, tool_id, agent_id, run_id, action_id, capability,
                payload_hash, method, url, status, duration, expires_at, created_at, updated_at, position, for_one_call)
            SELECT ?, workspace, user_id, ?, agent_id, id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0 FROM runs WHERE id = ?
            """,
            [
                blocked.actionID.column, blocked.toolID, blocked.actionID.column, blocked.capability,
                blocked.payloadHash?.text, blocked.method, blocked.url, AccessRequestStatus.pending.rawValue,
                duration.wholeMicroseconds, blocked.expiresAt.microseconds, time, time,
                Int64(recorded.position.value), run.column,
            ])
    }

    /// Follows the action of a request that is under the action's id; there is none for an action of the gate.
    static func setStatus(
        _ status: ActionStatus, ofRequestFor action: ActionID, _ recorded: RecordedEvent, reason: String?,
        _ db: Database
    ) throws {
        let isApproved = status == .approved
        let ended: AccessRequestStatus
        switch status {
        case .blocked, .executed: return
        case .approved: ended = .approved
        case .rejected: ended = .rejected
        case .expired, .failed: ended = .expired
        }
        try db.run(
            """
            UPDATE access_requests SET status = ?, scope = ?, approver_id = ?, reason = ?, updated_at = ?
            WHERE id = ? AND status = ?
            """,
            [
                ended.rawValue, isApproved ? AccessScope.once.rawValue : nil,
                ended == .expired ? nil : recorded.event.actor.name, reason.freeText,
                recorded.event.time.microseconds, action.column, AccessRequestStatus.pending.rawValue,
            ])
    }
}

extension ActionBlocked {
    /// True for an action that a client made, neither with a request for access nor by a call through the gate.
    var isClientsOwn: Bool { accessRequestID == nil && call == nil && !isConsent }
}

extension Duration {
    var wholeMicroseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}
