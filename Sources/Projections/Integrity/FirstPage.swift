import Foundation
import GRDB
import GRDBSQLite

/// The first page of a database, which says that a file is one.
struct FirstPage {
    private static let versionValidFor = 92..<96

    private let bytes: [UInt8]

    /// - Parameter path: a whole database with nothing in its write-ahead log.
    init(of path: String) throws {
        let file = try FileHandle(forReadingFrom: URL(filePath: path))
        defer { try? file.close() }
        let size = try DatabaseQueue(path: path, configuration: Self.readOnly).read { db in
            try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 4096
        }
        var bytes = [UInt8](try file.read(upToCount: size) ?? Data())
        // Without it the number of pages is taken from the file, not from this header.
        bytes.replaceSubrange(Self.versionValidFor, with: [0, 0, 0, 0])
        self.bytes = bytes
    }

    private static var readOnly: Configuration {
        var configuration = Configuration()
        configuration.readonly = true
        return configuration
    }

    /// Puts the page in the place of a damaged one, past everything that the connection remembers of it.
    func write(to db: Database) throws {
        var file: UnsafeMutablePointer<sqlite3_file>?
        let found = sqlite3_file_control(db.sqliteConnection, "main", SQLITE_FCNTL_FILE_POINTER, &file)
        guard found == SQLITE_OK, let file, let methods = file.pointee.pMethods, let write = methods.pointee.xWrite
        else {
            throw DatabaseError(
                resultCode: ResultCode(rawValue: found), message: "the file of the database is not open")
        }
        let result = bytes.withUnsafeBytes { write(file, $0.baseAddress, Int32($0.count), 0) }
        guard result == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: result)) }
        try db.execute(sql: "PRAGMA shrink_memory")
    }
}

extension DatabaseError {
    /// True when the bytes of the file are not those of a database.
    var isDamage: Bool { resultCode == .SQLITE_CORRUPT || resultCode == .SQLITE_NOTADB }
}
