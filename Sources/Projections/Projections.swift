package import Domain
package import EventStore
import Foundation
import GRDB
package import Logging
import Metrics
import Synchronization

/// The read models behind the API: SQLite tables that follow the log and can be made anew from it at any time.
package final class Projections: Sendable {
    let pool: DatabasePool
    private let logger: Logger
    private let progress: Mutex<FollowingProgress>
    private let keysByDigest: Mutex<[String: APIKeyRecord]>
    private let batchTimer = Timer(label: "sluice_projection_batch_seconds")

    /// Opens the read models at `path`, or begins new, empty ones.
    ///
    /// Tables of another schema version are dropped; following then fills them from the beginning of the log.
    package static func open(path: String, logger: Logger) throws(ProjectionError) -> Projections {
        do {
            let pool = try DatabasePool(path: path, configuration: configuration())
            try pool.write { db in
                let version =
                    try db.tableExists("meta") ? Int.fetchOne(db, sql: "SELECT schema_version FROM meta") : nil
                guard version != ReadModelSchema.version else { return }
                let tables = try String.fetchAll(db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table'")
                for table in tables where !table.hasPrefix("sqlite_") { try db.drop(table: table) }
                try ReadModelSchema.create(db)
            }
            return try Projections(pool: pool, logger: logger)
        } catch {
            throw .wrapping(error)
        }
    }

    /// Deletes the read models; the next `open` and `follow` make them anew.
    package static func delete(path: String) throws(ProjectionError) {
        do {
            for suffix in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: path + suffix) {
                try FileManager.default.removeItem(atPath: path + suffix)
            }
        } catch {
            throw .wrapping(error)
        }
    }

    private init(pool: DatabasePool, logger: Logger) throws {
        self.pool = pool
        self.logger = logger
        let position = try pool.read { try Int64.fetchOne($0, sql: "SELECT position FROM meta") ?? 0 }
        progress = Mutex(FollowingProgress(position: Position(UInt64(position))))
        keysByDigest = Mutex([:])
        try reloadKeys()
    }

    private static func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.label = "read-model"
        configuration.prepareDatabase { db in
            // The log is the truth: a power cut may cost the newest rows, which following makes again. WAL keeps the
            // file whole, and the checkpoint is in the same transaction as the rows.
            try db.execute(sql: "PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;")
        }
        return configuration
    }

    /// The newest position that queries see.
    package var position: Position { progress.withLock { $0.position } }

    /// Whether `follow` is at work, and if it stopped, why.
    package var failure: ProjectionError? { progress.withLock { $0.failure } }

    /// Applies every event after the checkpoint, batch by batch, until the store is closed or the task cancelled.
    ///
    /// - Throws: `ProjectionError` when the read models are ahead of the log, or SQLite fails.
    package func follow(_ store: EventStore) async throws {
        do {
            try checkNotAhead(of: store)
            let subscription = store.subscribe(after: position)
            for try await batch in subscription { try await apply(batch) }
            stop(ProjectionError(.stopped, "sluice is shutting down"))
        } catch {
            logger.error("the read models stopped following the log", metadata: ["error": "\(error)"])
            stop(.wrapping(error))
            throw error
        }
    }

    /// Applies one batch in one transaction together with its checkpoint, then shows it to queries.
    package func apply(_ batch: [RecordedEvent]) async throws {
        guard let last = batch.last else { return }
        let start = ContinuousClock.now
        try await pool.write { try Projector.apply(batch, $0) }
        if batch.contains(where: { $0.event.stream.kind == .apiKey }) { try reloadKeys() }
        batchTimer.record(duration: start.duration(to: .now))
        for waiter in progress.withLock({ $0.advance(to: last.position) }) { waiter.resume(returning: true) }
    }

    /// Returns once queries see `position`.
    ///
    /// - Throws: `ProjectionError` when following stopped before.
    package func reach(_ position: Position) async throws(ProjectionError) {
        if self.position >= position { return }
        let isReached = await withCheckedContinuation { waiter in
            if let now = progress.withLock({ $0.wait(waiter, for: position) }) { waiter.resume(returning: now) }
        }
        guard isReached else {
            throw failure ?? ProjectionError(.stopped, "the read models stopped before position \(position)")
        }
    }

    /// The key with that digest, of any workspace. From memory: it is asked with every request.
    package func apiKey(digest: String) -> APIKeyRecord? { keysByDigest.withLock { $0[digest] } }

    private func checkNotAhead(of store: EventStore) throws(ProjectionError) {
        guard position > store.durablePosition else { return }
        throw ProjectionError(
            .aheadOfLog,
            "the read models stand at position \(position) and the log ends at \(store.durablePosition): the log has "
                + "lost events that were acknowledged, or belongs to another data directory. Restore the log from a "
                + "backup; if the log is right, run `sluice projections rebuild`")
    }

    private func reloadKeys() throws {
        let keys = try pool.read { try Row.fetchAll($0, sql: "SELECT * FROM api_keys").map(APIKeyRecord.init) }
        keysByDigest.withLock { $0 = Dictionary(keys.map { ($0.digest, $0) }) { _, newer in newer } }
    }

    private func stop(_ error: ProjectionError) {
        for waiter in progress.withLock({ $0.stop(error) }) { waiter.resume(returning: false) }
    }
}

/// How far following has come, and who waits for it to come further.
private struct FollowingProgress {
    typealias Waiter = CheckedContinuation<Bool, Never>

    private(set) var position: Position
    private(set) var failure: ProjectionError?
    private var waiting: [(position: Position, waiter: Waiter)] = []

    init(position: Position) { self.position = position }

    mutating func advance(to position: Position) -> [Waiter] {
        self.position = position
        let due = waiting.filter { $0.position <= position }.map(\.waiter)
        waiting.removeAll { $0.position <= position }
        return due
    }

    /// Enlists the waiter, or says at once whether the position is reached.
    mutating func wait(_ waiter: Waiter, for position: Position) -> Bool? {
        if self.position >= position { return true }
        if failure != nil { return false }
        waiting.append((position, waiter))
        return nil
    }

    mutating func stop(_ error: ProjectionError) -> [Waiter] {
        failure = error
        defer { waiting = [] }
        return waiting.map(\.waiter)
    }
}
