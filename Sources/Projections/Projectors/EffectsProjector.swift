import Domain
import EventStore
import Foundation
import GRDB

/// Outcomes of a run's approved effects: calls that were made under an approval or a grant, and actions that were decided.
///
/// An effect is an action, or a call under a grant. A failed call that the agent repeats with success does not count.
enum EffectsProjector {
    enum State: String {
        case open, performed, failed, unknown, rejected, expired
        /// It failed, and the same call succeeded later.
        case repeated

        /// The column of `runs` that counts it.
        fileprivate var counter: String? {
            switch self {
            case .performed: "effects_performed"
            case .failed, .unknown: "effects_failed"
            case .rejected: "effects_rejected"
            case .expired: "effects_expired"
            case .open, .repeated: nil
            }
        }

        fileprivate var isFailure: Bool { self == .failed || self == .unknown }
    }

    /// One effect of a run, and the call that is to have it.
    fileprivate struct Effect {
        let run: RunID
        let key: Data
        var call: ToolCall?
    }

    /// Applies an event before `RunsProjector` does: the status that the action had until then decides.
    static func apply(_ recorded: RecordedEvent, _ run: RunID, _ db: Database) throws {
        switch recorded.event.payload {
        case .toolCallStarted(let started):
            guard let effect = Effect(started.call, of: run) else { return }
            try set(.open, effect, db)
        case .toolCalled(let called): try finish(called, run, db)
        case .toolCallInterrupted(let interrupted): try interrupt(interrupted.callID, run, db)
        case .actionExecuted(let executed):
            guard try action(executed.actionID, db)?.isConsent == false else { return }
            let effect = Effect(run: run, key: executed.actionID.column)
            if try state(of: effect, db) == nil { try set(.performed, effect, db) }
        case .actionFailed(let failed):
            guard let action = try action(failed.actionID, db), !action.isConsent, action.status == .approved else {
                return
            }
            try set(
                .failed, Effect(run: run, key: failed.actionID.column),
                note: "action \(failed.actionID) of tool \(action.toolID) was not carried out: \(failed.reason)", db)
        case .actionRejected(let rejected): try decide(.rejected, rejected.actionID, run, db)
        case .actionExpired(let expired): try decide(.expired, expired.actionID, run, db)
        default: break
        }
    }

    private static func finish(_ called: ToolCalled, _ run: RunID, _ db: Database) throws {
        let call = called.call
        guard let effect = Effect(call, of: run) else { return }
        switch called.outcome {
        case .answered(let status):
            if let id = call.actionID {
                try db.run("UPDATE actions SET tool_status = ? WHERE id = ?", [Int64(status), id.column])
            }
            guard status < 400 else {
                return try set(.failed, effect, note: "\(call.effectName) was answered with \(status)", db)
            }
            try settleFailure(of: call, run, db)
            try set(.performed, effect, db)
        case .unreached: try set(.failed, effect, note: "\(call.effectName) did not reach the tool", db)
        case .unknown: try set(.unknown, effect, note: "\(call.effectName) has an unknown outcome", db)
        }
    }

    /// Takes one failure of the same call out of the count; one of unknown outcome stays.
    private static func settleFailure(of call: ToolCall, _ run: RunID, _ db: Database) throws {
        let key = try db.first(
            """
            SELECT effect FROM run_effects WHERE run_id = ? AND fingerprint = ? AND state = 'failed'
            ORDER BY effect LIMIT 1
            """, [run.column, call.fingerprint.column]
        ) { row in try row.column("effect") as Data }
        if let key { try set(.repeated, Effect(run: run, key: key), db) }
    }

    private static func interrupt(_ call: ToolCallID, _ run: RunID, _ db: Database) throws {
        let open = try db.first(
            "SELECT effect FROM run_effects WHERE run_id = ? AND call_id = ? AND state = 'open'",
            [run.column, call.column]
        ) { row in try row.column("effect") as Data }
        guard let open else { return }
        try set(
            .unknown, Effect(run: run, key: open),
            note: "call \(call) has an unknown outcome: Sluice ended while it was in flight", db)
    }

    private static func decide(_ state: State, _ id: ActionID, _ run: RunID, _ db: Database) throws {
        guard try action(id, db)?.isConsent == false else { return }
        try set(state, Effect(run: run, key: id.column), db)
    }

    private static func action(
        _ id: ActionID, _ db: Database
    ) throws -> (toolID: String, status: ActionStatus, isConsent: Bool)? {
        try db.first("SELECT tool_id, status, is_consent FROM actions WHERE id = ?", [id.column]) { row in
            (try row.column("tool_id"), try row.value("status"), try row.column("is_consent"))
        }
    }

    private static func state(of effect: Effect, _ db: Database) throws -> State? {
        try db.first(
            "SELECT state FROM run_effects WHERE run_id = ? AND effect = ?", [effect.run.column, effect.key]
        ) { row in try row.value("state") }
    }

    private static func set(_ state: State, _ effect: Effect, note: String? = nil, _ db: Database) throws {
        let former = try Self.state(of: effect, db)
        try db.run(
            """
            INSERT INTO run_effects (run_id, effect, fingerprint, call_id, state, note) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET state = excluded.state, note = excluded.note,
                fingerprint = coalesce(excluded.fingerprint, fingerprint), call_id = coalesce(excluded.call_id, call_id)
            """,
            [
                effect.run.column, effect.key, effect.call?.fingerprint.column, effect.call?.id.column, state.rawValue,
                note.freeText,
            ])
        for (counter, change) in [(former?.counter, -1), (state.counter, 1)] {
            guard let counter else { continue }
            try db.run("UPDATE runs SET \(counter) = \(counter) + ? WHERE id = ?", [change, effect.run.column])
        }
        try noteFailure(former, state, note, effect.run, db)
    }

    /// Keeps the note of one failure with the run. Another one is looked up only when that may have been settled.
    private static func noteFailure(
        _ former: State?, _ state: State, _ note: String?, _ run: RunID, _ db: Database
    ) throws {
        if former?.isFailure == true {
            try db.run(
                """
                UPDATE runs SET failed_effect = (
                    SELECT note FROM run_effects WHERE run_id = runs.id AND state IN ('failed', 'unknown')
                    ORDER BY effect LIMIT 1
                ) WHERE id = ?
                """, [run.column])
        } else if state.isFailure {
            try db.run(
                "UPDATE runs SET failed_effect = coalesce(failed_effect, ?) WHERE id = ?", [note.freeText, run.column])
        }
    }
}

extension EffectsProjector.Effect {
    /// `nil` for a call that the policies alone let through.
    fileprivate init?(_ call: ToolCall, of run: RunID) {
        guard call.actionID != nil || call.grantID != nil else { return nil }
        self.init(run: run, key: call.effectKey, call: call)
    }
}

extension ToolCall {
    /// The action, or identity and occurrence: the same for a call that is made again because its outcome is unknown.
    fileprivate var effectKey: Data {
        if let actionID { return actionID.column }
        return withUnsafeBytes(of: (occurrence ?? 0).bigEndian) { fingerprint.column + Data($0) }
    }

    fileprivate var effectName: String {
        let made = "\(method) call of tool \(toolID)"
        if let actionID { return "action \(actionID) (\(made))" }
        return grantID.map { "\(made) under grant \($0)" } ?? made
    }
}
