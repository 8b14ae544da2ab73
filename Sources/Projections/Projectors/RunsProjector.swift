import Domain
import EventStore
import GRDB

/// Runs, their blocked actions and their agents' checkpoints.
enum RunsProjector {
    static func apply(_ recorded: RecordedEvent, _ id: RunID, _ texts: RunTexts, _ db: Database) throws {
        let time = recorded.event.time.microseconds
        if let tool = recorded.event.payload.calledTool { try note(tool, of: id, texts, db) }
        switch recorded.event.payload {
        case .runCreated(let created):
            try texts.willChange(id, db)
            try insert(created, id, recorded, db)
        case .runEventAdded(let added):
            try noteInitialMessage(added, id, db)
            try noteMessage(added, id, recorded, db)
        case .invokeCompleted(let completed):
            guard completed.outcome == .finished else { return }
            try setResult(completed.response, id, recorded, isServerDriven: true, db)
        case .modelAnswerRecorded(let answer):
            try db.run(
                "INSERT OR REPLACE INTO model_answers (id, run_id, answer) VALUES (?, ?, ?)",
                [answer.callID.column, id.column, answer.answer?.column])
        case .runStatusChanged(let changed):
            try texts.willChange(id, db)
            // No later attempt asks for them.
            if changed.status.isFinished {
                try db.run("DELETE FROM model_answers WHERE run_id = ?", [id.column])
            }
            try db.run(
                """
                UPDATE runs SET status = ?, reason = ?, updated_at = ?,
                    blocked_action_id = CASE WHEN ? THEN blocked_action_id ELSE NULL END
                WHERE id = ?
                """,
                [changed.status.rawValue, changed.reason.freeText, time, changed.status.isPaused, id.column])
        case .actionBlocked(let blocked): try insert(blocked, id, recorded, db)
        case .actionApproved(let approved):
            try setStatus(.approved, of: approved.actionID, recorded, reason: approved.reason, isDecision: true, db)
        case .actionRejected(let rejected):
            try setStatus(.rejected, of: rejected.actionID, recorded, reason: rejected.reason, isDecision: true, db)
        case .actionExpired(let expired): try setStatus(.expired, of: expired.actionID, recorded, db)
        case .actionExecuted(let executed): try setStatus(.executed, of: executed.actionID, recorded, db)
        case .actionFailed(let failed):
            try setStatus(.failed, of: failed.actionID, recorded, reason: failed.reason, db)
        case .checkpointSaved(let saved):
            try db.run(
                """
                INSERT INTO checkpoints (run_id, action_id, id, document, created_at) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET id = excluded.id, document = excluded.document,
                    created_at = excluded.created_at
                """,
                [id.column, saved.actionID, saved.checkpointID.column, saved.document.text, time])
        case .toolCalled(let called):
            guard let sequence = recorded.event.timeline?.sequence else { return }
            try db.run(
                "INSERT OR REPLACE INTO tool_calls (id, run_id, sequence) VALUES (?, ?, ?)",
                [called.call.id.column, id.column, Int64(sequence)])
        case .toolResultRecorded, .invokeRequested, .invokeFailed, .resourceStored,
            .resourceDeleted, .resourceStatusRecorded, .accessRequested, .accessApproved, .accessRejected,
            .accessExpired, .apiKeyCreated, .apiKeyRevoked, .answerRecorded, .toolCallStarted, .toolCallReplayed,
            .toolCallRefused, .payloadMismatched, .actionVoted, .toolCallInterrupted, .secretStored, .secretDeleted,
            .modelCallReplayed,
            .modelCalled, .apiKeyRotated, .deliveryStarted, .deliveryEnded, .decisionLinkUsed, .sourcesAnalyzed,
            .buildRequested, .buildStarted, .buildFinished, .personErasureRequested, .personErased, .runExpired,
            .keyLossAccepted, .controlStopped, .controlStarted:
            break
        }
    }

    /// Keeps that the run asked for a call of the tool, the first time.
    private static func note(_ tool: String, of id: RunID, _ texts: RunTexts, _ db: Database) throws {
        let isKnown = try db.first("SELECT 1 FROM run_tools WHERE run_id = ? AND tool = ?", [id.column, tool]) { _ in
            true
        }
        guard isKnown == nil else { return }
        try texts.willChange(id, db)
        try db.run(
            """
            INSERT INTO run_tools (run_id, tool, workspace, position)
            SELECT id, ?, workspace, position FROM runs WHERE id = ?
            """, [tool, id.column])
    }

    private static func insert(_ created: RunCreated, _ id: RunID, _ recorded: RecordedEvent, _ db: Database) throws {
        let time = recorded.event.time.microseconds
        try db.run(
            """
            INSERT INTO runs (id, workspace, agent_id, agent_uid, user_id, conversation_id, invoke_url,
                initial_message, status, created_at, updated_at, position, creator_key)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                id.column, recorded.event.workspace.text, created.agentID, created.agentUID.column(), created.userID,
                created.conversationID, created.invokeURL, created.initialMessage.freeText,
                RunStatus.running.rawValue, time, time, Int64(recorded.position.value),
                recorded.event.actor.apiKeyID.column(),
            ])
    }

    private static func insert(
        _ blocked: ActionBlocked, _ id: RunID, _ recorded: RecordedEvent, _ db: Database
    ) throws {
        let time = recorded.event.time.microseconds
        try db.run(
            """
            INSERT INTO actions (id, run_id, tool_id, capability, payload_hash, method, url, status,
                access_request_id, expires_at, created_at, updated_at, position, sequence, is_consent,
                headers_hash)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                blocked.actionID.column, id.column, blocked.toolID, blocked.capability, blocked.payloadHash?.text,
                blocked.method, blocked.url, ActionStatus.blocked.rawValue, blocked.accessRequestID.column(),
                blocked.expiresAt.microseconds, time, time, Int64(recorded.position.value),
                Int64(recorded.event.timeline?.sequence ?? 0), blocked.isConsent,
                blocked.call?.headersHash?.text,
            ])
        if blocked.isClientsOwn { try AccessRequestsProjector.insert(blocked, of: id, recorded, db) }
        let status: RunStatus = blocked.isConsent ? .pausedConsent : .pausedApproval
        try db.run(
            "UPDATE runs SET status = ?, blocked_action_id = ?, updated_at = ? WHERE id = ?",
            [status.rawValue, blocked.actionID.column, time, id.column])
    }

    private static func setStatus(
        _ status: ActionStatus, of id: ActionID, _ recorded: RecordedEvent, reason: String? = nil,
        isDecision: Bool = false, _ db: Database
    ) throws {
        try AccessRequestsProjector.setStatus(status, ofRequestFor: id, recorded, reason: reason, db)
        try db.run(
            """
            UPDATE actions SET status = ?, reason = coalesce(?, reason),
                approver_id = coalesce(?, approver_id),
                updated_at = ?
            WHERE id = ?
            """,
            [
                status.rawValue, reason.freeText, isDecision ? recorded.event.actor.name : nil,
                recorded.event.time.microseconds, id.column,
            ])
    }

    /// The last message of the agent is the result of a run that its client drives.
    private static func noteMessage(
        _ added: RunEventAdded, _ id: RunID, _ recorded: RecordedEvent, _ db: Database
    ) throws {
        guard added.type == "AGENT_MESSAGE", added.data != nil else { return }
        try setResult(added.data, id, recorded, isServerDriven: false, db)
    }

    /// Keeps a small result in the run's row, where lists read it, and the place of any other in the timeline.
    private static func setResult(
        _ result: JSONText?, _ id: RunID, _ recorded: RecordedEvent, isServerDriven: Bool, _ db: Database
    ) throws {
        let bytes = result?.text.utf8.count
        try db.run(
            """
            UPDATE runs SET result = ?, result_bytes = ?, result_sequence = ?
            WHERE id = ? AND (invoke_url IS NOT NULL) = ?
            """,
            [
                bytes.map { $0 <= RunResult.listedBytesMax } == true ? result?.text : nil, bytes,
                (result == nil ? nil : recorded.event.timeline?.sequence).map(Int64.init), id.column, isServerDriven,
            ])
    }

    /// A run created without a message takes the first one its user sends.
    private static func noteInitialMessage(_ added: RunEventAdded, _ id: RunID, _ db: Database) throws {
        guard added.type == "USER_MESSAGE", let data = added.data?.value,
            let message = data["message"]?.string ?? data["content"]?.string
        else { return }
        try db.run(
            "UPDATE runs SET initial_message = ? WHERE id = ? AND initial_message IS NULL",
            [message.freeText, id.column])
    }
}

extension EventPayload {
    /// The tool that an agent asked to call; `nil` for every other event.
    fileprivate var calledTool: String? {
        switch self {
        case .toolCallStarted(let started): started.call.toolID
        case .toolCalled(let called): called.call.toolID
        case .toolCallRefused(let refused): refused.toolID
        case .actionBlocked(let blocked): blocked.toolID
        default: nil
        }
    }
}
