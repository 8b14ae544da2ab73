package import Domain
import EventStore
import Foundation
import GRDB
package import Logging
import Metrics
import Synchronization

/// The read models behind the API: SQLite tables that follow the log and can be made anew from it at any time.
///
/// One writer applies batches of events; readers are never blocked by it and see whole batches only.
package final class Projections: Sendable {
    let pool: DatabasePool
    /// For reads that block their thread, and for these alone: a reader of `pool` may be held by a task that waits for a
    /// thread, and a thread that waits for that reader would never be free.
    let lookups: DatabasePool
    let logger: Logger
    let progress: Mutex<FollowingProgress>
    private let keys = Mutex(APIKeyIndex())
    let runs: Mutex<RunCache>
    /// Whoever changes the tables.
    let turns = Turns()
    /// Makes one successor at a time.
    let renewals = Turns()
    /// Damage that reads and writes have met.
    let damage = DamageReport()
    /// True once `plans` was used.
    let logsStatements = Atomic<Bool>(false)
    private let changes = Atomic<UInt64>(0)
    private let batchTimer = Timer(label: "sluice_projection_batch_seconds")

    /// Opens the read models at `path`, or begins new, empty ones.
    ///
    /// Tables of another schema version are dropped; following then fills them from the beginning of the log.
    ///
    /// - Parameters:
    ///   - isDisposable: whether the file is deleted at the next start: then it is never synced.
    ///   - readersMax: maximum connections that read lists, and as many that look single records up; each has a thread
    ///     while it is used, and a cache of pages. `nil` for those of the live read models.
    package static func open(
        path: String, isDisposable: Bool = false, readersMax: Int? = nil, logger: Logger
    ) throws(ProjectionError) -> Projections {
        PastFileSystem.install
        do {
            let pool = try DatabasePool(path: path, configuration: configuration(readersMax))
            try pool.write(prepareTables)
            if isDisposable {
                try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = OFF") }
            }
            return try Projections(
                pool: pool, lookups: DatabasePool(path: path, configuration: lookUpConfiguration(readersMax)),
                logger: logger)
        } catch {
            throw .wrapping(error)
        }
    }

    /// Deletes the read models; the next `open` and `follow` make them anew.
    ///
    /// Only while nobody has them open.
    package static func delete(path: String) throws(ProjectionError) {
        do {
            for suffix in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: path + suffix) {
                try FileManager.default.removeItem(atPath: path + suffix)
            }
        } catch {
            throw .wrapping(error)
        }
    }

    private init(pool: DatabasePool, lookups: DatabasePool, logger: Logger) throws {
        self.pool = pool
        self.lookups = lookups
        self.logger = logger
        let (position, records) = try pool.read { db in
            guard let position = try Row.fetchOne(db, sql: "SELECT position FROM meta")?.position() else {
                throw MalformedRow("position")
            }
            return (position, try Row.fetchAll(db, sql: "SELECT * FROM api_keys").map(APIKeyRecord.init))
        }
        progress = Mutex(FollowingProgress(position: position))
        runs = Mutex(RunCache(position: position))
        keys.withLock { $0.update(records.map(APIKeyIndex.Change.init)) }
    }

    /// Writes out and closes the file; every later call fails. A closed file can be handed on, or trusted later.
    package func close() throws(ProjectionError) {
        do {
            try lookups.close()
            // A pool leaves its write-ahead log behind. A reader that is in the way leaves it filled, for the next start.
            _ = try? pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
            try pool.close()
        } catch {
            throw .wrapping(error)
        }
    }

    /// The file that they are in.
    package var path: String { pool.path }

    /// The newest position that queries see.
    package var position: Position { progress.withLock { $0.position } }

    /// The position that queries see and no other: `nil` while a batch is on its way in. What is read between two equal
    /// answers is that position's.
    package var settledPosition: Position? { progress.withLock { $0.settledPosition } }

    /// Why no event is being applied, when following stopped or waits for space.
    package var failure: ProjectionError? { progress.withLock { $0.failure } }

    /// Passes over positions of which no record is kept.
    func advance(to position: Position) async throws(ProjectionError) {
        await turns.begin()
        defer { turns.end() }
        precondition(position > self.position, "read models only go forward")
        progress.withLock { $0.begin() }
        do {
            try await pool.write { db in try Projector.setPosition(position, db) }
            runs.withLock { $0.advance(to: position) }
        } catch {
            progress.withLock { $0.giveUp() }
            throw .wrapping(error)
        }
        for waiter in progress.withLock({ $0.advance(to: position) }) { waiter.resume(returning: true) }
    }

    /// Applies the events that follow `position`, in one transaction together with the checkpoint, then shows them.
    ///
    /// Events that a renewal has brought in meanwhile are passed over. After an error nothing of the batch is there.
    /// `follow` calls this, and so does every reader of a log without one.
    package func apply(_ events: [RecordedEvent]) async throws(ProjectionError) {
        await turns.begin()
        defer { turns.end() }
        let batch = Array(events.drop { $0.position <= position })
        guard let last = batch.last else { return }
        let start = ContinuousClock.now
        progress.withLock { $0.begin() }
        do {
            let changedKeys = try await pool.write { db in
                try Projector.apply(batch, db)
                return try Projector.keys(in: batch).map { try APIKeyIndex.Change($0, db) }
            }
            if !changedKeys.isEmpty { keys.withLock { $0.update(changedKeys) } }
            if Projector.changesResources(batch) { changes.add(1, ordering: .sequentiallyConsistent) }
            runs.withLock { $0.apply(batch) }
        } catch {
            progress.withLock { $0.giveUp() }
            throw noting(.wrapping(error))
        }
        batchTimer.record(duration: start.duration(to: .now))
        for waiter in progress.withLock({ $0.advance(to: last.position) }) { waiter.resume(returning: true) }
    }

    /// The key with that digest, of any workspace. From memory: it is asked with every request.
    package func apiKey(digest: String) -> APIKeyRecord? { keys.withLock { $0[digest] } }

    /// Grows whenever agents, tools, policies or model providers are stored or deleted, before that can be acknowledged:
    /// what was read while it had this value is still as it was read.
    package var resourceChanges: UInt64 { changes.load(ordering: .sequentiallyConsistent) }

    /// Reads everything that is in memory again, after other tables took the place of these.
    func reload() async throws {
        let records = try await pool.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM api_keys").map(APIKeyRecord.init)
        }
        keys.withLock { keys in
            keys = APIKeyIndex()
            keys.update(records.map(APIKeyIndex.Change.init))
        }
        runs.withLock { $0.forget() }
        changes.add(1, ordering: .sequentiallyConsistent)
    }

    private static func lookUpConfiguration(_ readersMax: Int?) -> Configuration {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        configuration.label = "read-model-lookups"
        configuration.maximumReaderCount = readersMax ?? max(2, ProcessInfo.processInfo.activeProcessorCount)
        return configuration
    }

    private static func configuration(_ readersMax: Int?) -> Configuration {
        var configuration = Configuration()
        if let readersMax { configuration.maximumReaderCount = readersMax }
        configuration.busyMode = .timeout(5)
        configuration.label = "read-model"
        configuration.prepareDatabase { db in
            // The pool's WAL with synchronous = NORMAL: a power cut may cost the newest batches, each with its
            // checkpoint, and following applies them again. OFF would save a little and could leave a damaged file.
            try db.execute(sql: "PRAGMA temp_store = MEMORY")
            // What is deleted is overwritten: rows of runs that are not kept any more are not left in free pages.
            try db.execute(sql: "PRAGMA secure_delete = ON")
        }
        return configuration
    }

    private static func prepareTables(_ db: Database) throws {
        let version = try db.tableExists("meta") ? Int.fetchOne(db, sql: "SELECT schema_version FROM meta") : nil
        guard version != ReadModelSchema.version else { return }
        // A virtual table takes the tables that it consists of with it, so it comes first.
        let tables = try String.fetchAll(
            db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY sql LIKE 'CREATE VIRTUAL%' DESC")
        for table in tables where !table.hasPrefix("sqlite_") { try db.execute(sql: "DROP TABLE IF EXISTS \(table)") }
        try ReadModelSchema.create(db)
    }
}
