import GRDBSQLite

/// An open past database as SQLite holds it: its own beginning, the pages, and after them the system's open file.
struct PastFile {
    private struct Beginning {
        var file: sqlite3_file
        var pages: Unmanaged<PastPages>?
    }

    /// The bytes that SQLite has to allocate before the system's part.
    static let byteCount = MemoryLayout<Beginning>.stride

    private let memory: UnsafeMutableRawPointer

    init(_ file: UnsafeMutablePointer<sqlite3_file>?) {
        guard let file else { preconditionFailure("SQLite names the file with every call") }
        memory = UnsafeMutableRawPointer(file)
    }

    /// The system's open file, which has what was written.
    var own: UnsafeMutablePointer<sqlite3_file> {
        (memory + Self.byteCount).assumingMemoryBound(to: sqlite3_file.self)
    }

    private var beginning: UnsafeMutablePointer<Beginning> { memory.assumingMemoryBound(to: Beginning.self) }

    private var pages: PastPages {
        guard let pages = beginning.pointee.pages else { preconditionFailure("an open file has its pages") }
        return pages.takeUnretainedValue()
    }

    /// Keeps the pages until the file is closed.
    func hold(_ pages: PastPages) { beginning.pointee.pages = .passRetained(pages) }

    func close() -> Int32 {
        let code = pass { $0.xClose($1) }
        beginning.pointee.pages?.release()
        beginning.pointee.pages = nil
        return code
    }

    func read(_ buffer: UnsafeMutableRawPointer?, _ count: Int32, _ offset: Int64) -> Int32 {
        guard let buffer else { return SQLITE_IOERR }
        return pages.read(into: buffer, count: Int(count), at: offset)
            ?? pass { $0.xRead($1, buffer, count, offset) }
    }

    func write(_ buffer: UnsafeRawPointer?, _ count: Int32, _ offset: Int64) -> Int32 {
        guard Int(count) % PastPages.pageBytes == 0, Int(offset) % PastPages.pageBytes == 0 else {
            return SQLITE_IOERR
        }
        let code = pass { $0.xWrite($1, buffer, count, offset) }
        if code == SQLITE_OK { pages.noteWritten(count: Int(count), at: offset) }
        return code
    }

    func truncate(_ size: Int64) -> Int32 {
        let code = pass { $0.xTruncate($1, size) }
        if code == SQLITE_OK { pages.truncate(to: size) }
        return code
    }

    func size(_ out: UnsafeMutablePointer<Int64>?) -> Int32 {
        var bytes: Int64 = 0
        let code = pass { $0.xFileSize($1, &bytes) }
        out?.pointee = pages.size(ownFile: bytes)
        return code
    }

    /// Has the system's file do it.
    func pass(_ call: (sqlite3_io_methods, UnsafeMutablePointer<sqlite3_file>) -> Int32) -> Int32 {
        guard let methods = own.pointee.pMethods else { return SQLITE_IOERR }
        return call(methods.pointee, own)
    }
}
