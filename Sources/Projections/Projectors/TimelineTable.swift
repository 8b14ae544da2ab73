import Domain
import EventStore
import GRDB
import GRDBSQLite

/// Inserts into the timeline: most events are one row here and nothing else, so values go to SQLite with no boxes between.
struct TimelineTable {
    private let statement: Statement

    init(_ db: Database) throws {
        statement = try db.cachedStatement(
            sql: "INSERT INTO timeline (run_id, sequence, position, event) VALUES (?, ?, ?, ?)")
    }

    func insert(_ recorded: RecordedEvent, sequence: UInt64, run: UUIDValue) throws {
        let record = EventCodec.encode(recorded.event)
        let sqlite = statement.sqliteStatement
        let code = run.withUnsafeBytes { run in
            record.withUnsafeBytes { record in
                // The bytes stay where they are until the step is done, so that SQLite need not copy them (a null destructor).
                sqlite3_bind_blob(sqlite, 1, run.baseAddress, Int32(run.count), nil)
                sqlite3_bind_int64(sqlite, 2, Int64(sequence))
                sqlite3_bind_int64(sqlite, 3, Int64(recorded.position.value))
                sqlite3_bind_blob(sqlite, 4, record.baseAddress, Int32(record.count), nil)
                let code = sqlite3_step(sqlite)
                sqlite3_reset(sqlite)
                sqlite3_clear_bindings(sqlite)
                return code
            }
        }
        guard code == SQLITE_DONE else {
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: String(cString: sqlite3_errstr(code)))
        }
    }
}
