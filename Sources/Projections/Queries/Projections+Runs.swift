package import Domain
import EventStore
import Foundation
import GRDB
import Synchronization

extension Projections {
    /// The run of that id, when it is this workspace's.
    package func run(_ id: RunID, in workspace: WorkspaceName) async throws(ProjectionError) -> RunRecord? {
        guard let run = try entry(id)?.run, run.workspace == workspace else { return nil }
        return run
    }

    /// The first entries of the run's timeline after `sequence`, and before another one when it is given; or the last of
    /// them, newest first. The caller has checked that the run is the workspace's.
    package func timeline(
        _ id: RunID, after sequence: UInt64, before end: UInt64? = nil, isDescending: Bool = false, limit: Int
    ) async throws(ProjectionError) -> Page<RecordedEvent> {
        let sql = """
            SELECT position, event FROM timeline WHERE run_id = ? AND sequence > ? AND sequence < ?
            ORDER BY sequence \(isDescending ? "DESC" : "ASC")
            """
        let bounds = [Int64(clamping: sequence), end.map { Int64(clamping: $0) } ?? .max]
        return try await query { db in
            try Page(
                db, sql: sql, [id.column, bounds[0], bounds[1]], limit: limit,
                sizeBytes: { $0.event.payload.approximateSizeBytes }
            ) { row in
                let position = try row.position()
                return RecordedEvent(
                    position: position,
                    event: try EventCodec.decode([UInt8](row.column("event") as Data), at: position.value))
            }
        }
    }

    /// The first event of a run; `nil` when there is no such run.
    ///
    /// - Parameter position: the read models are at least there first.
    package func created(_ id: RunID, recordedBy position: Position) async throws(ProjectionError) -> RunCreated? {
        try await reach(position)
        guard case .runCreated(let created)? = try await timeline(id, after: 0, limit: 1).records.first?.event.payload
        else { return nil }
        return created
    }

    /// The newest `seq` on the run's timeline at that log position; 0 when there was none yet.
    package func sequence(
        ofTimeline id: RunID, at position: Position
    ) async throws(ProjectionError) -> UInt64 {
        try await query { db in
            let sequence = try Int64.fetchOne(
                db,
                sql: """
                    SELECT sequence FROM timeline WHERE run_id = ? AND position <= ? ORDER BY sequence DESC LIMIT 1
                    """,
                arguments: [id.column, Int64(clamping: position.value)])
            return UInt64(clamping: sequence ?? 0)
        }
    }

    /// The action of that run. The caller has checked that the run is the workspace's.
    package func action(_ id: ActionID, of run: RunID) async throws(ProjectionError) -> ActionRecord? {
        try lookUp { db in
            try db.first(
                "SELECT * FROM actions WHERE id = ? AND run_id = ?", [id.column, run.column], ActionRecord.init)
        }
    }

    /// The run's actions, oldest first. The caller has checked that the run is the workspace's.
    package func actions(of run: RunID) async throws(ProjectionError) -> [ActionRecord] {
        try entry(run)?.actions ?? []
    }

    /// The run with its actions, oldest first, from memory or by key.
    private func entry(_ id: RunID) throws(ProjectionError) -> RunCache.Entry? {
        let (known, moment) = runs.withLock { ($0.entry(id), $0.moment) }
        if let known { return known }
        let entry = try lookUp { db -> RunCache.Entry? in
            guard let run = try db.first("SELECT * FROM runs WHERE id = ?", [id.column], RunRecord.init) else {
                return nil
            }
            let actions = try db.cachedStatement(sql: "SELECT * FROM actions WHERE run_id = ? ORDER BY position")
            return RunCache.Entry(
                run: run, actions: try Row.fetchAll(actions, arguments: [id.column]).map(ActionRecord.init))
        }
        if let entry { runs.withLock { $0.insert(entry, readAt: moment) } }
        return entry
    }

    /// What is recorded of a call that one of the run's agents made; `nil` when there is no such call.
    package func toolCall(_ id: ToolCallID, of run: RunID) throws(ProjectionError) -> ToolCalled? {
        let payload = try entry(
            of: run,
            "SELECT t.position, t.event FROM tool_calls c JOIN timeline t USING (run_id, sequence) "
                + "WHERE c.id = ? AND c.run_id = ?", id.column)
        guard case .toolCalled(let called)? = payload else { return nil }
        return called
    }

    /// The recorded response of a model call, sealed; `nil` when there is none, or it was not kept.
    package func modelAnswer(_ id: ModelCallID, of run: RunID) throws(ProjectionError) -> [UInt8]? {
        try lookUp { db in
            try db.first(
                "SELECT answer FROM model_answers WHERE id = ? AND run_id = ?", [id.column, run.column]
            ) { row in (try row.column("answer") as Data?).map { [UInt8]($0) } } ?? nil
        }
    }

    /// What the gate knows of the call that it blocked; `nil` when the action is not of the gate's making.
    package func blockedCall(_ id: ActionID, of run: RunID) async throws(ProjectionError) -> BlockedCall? {
        let payload = try entry(
            of: run,
            "SELECT t.position, t.event FROM actions a JOIN timeline t USING (run_id, sequence) "
                + "WHERE a.id = ? AND a.run_id = ?", id.column)
        guard case .actionBlocked(let blocked)? = payload else { return nil }
        return blocked.call
    }

    private func entry(of run: RunID, _ sql: String, _ key: Data) throws(ProjectionError) -> EventPayload? {
        try lookUp { db in
            try db.first(sql, [key, run.column]) { row in
                try EventCodec.decode([UInt8](row.column("event") as Data), at: row.position().value).payload
            }
        }
    }

    /// The newest checkpoint that the run's agent saved for that action.
    package func checkpoint(
        run: RunID, action: String
    ) async throws(ProjectionError) -> CheckpointRecord? {
        try lookUp { db in
            try db.first(
                "SELECT * FROM checkpoints WHERE run_id = ? AND action_id = ?", [run.column, action],
                CheckpointRecord.init)
        }
    }

    /// Reads a few rows by key, on the caller's thread: that takes microseconds, less than to change threads twice.
    func lookUp<Value>(_ read: (Database) throws -> Value) throws(ProjectionError) -> Value {
        do {
            guard let log = statementLog else { return try lookups.read(read) }
            return try lookups.read { db in try log.noting(db, read) }
        } catch {
            throw noting(.wrapping(error))
        }
    }

    /// Reads as much as there is, on the pool's threads.
    func query<Value: Sendable>(
        _ read: @escaping @Sendable (Database) throws -> Value
    ) async throws(ProjectionError) -> Value {
        do {
            guard let log = statementLog else { return try await pool.read(read) }
            return try await pool.read { db in try log.noting(db, read) }
        } catch {
            throw noting(.wrapping(error))
        }
    }
}
