import GRDBSQLite
import Synchronization

/// Has SQLite read the files of past read models through `PastPages`, and every other file as ever.
///
/// It is a VFS (sqlite.org/vfs.html) over the system's: a past database's own file is sparse and holds what was written
/// to it; what it lacks is read from the bases.
enum PastFileSystem {
    private static let files = Mutex<[String: PastPages]>([:])

    // SAFETY: set once, and both are SQLite's for as long as the process runs.
    nonisolated(unsafe) private static let system: UnsafeMutablePointer<sqlite3_vfs> = {
        // The process holds its databases alone, with the index of their write-ahead logs in its memory: SQLite maps it
        // from a file otherwise, and on a full disk a mapped page that has no block is a SIGBUS. (sqlite.org/vfs.html,
        // "unix-excl")
        guard let found = sqlite3_vfs_find("unix-excl") else { preconditionFailure("SQLite has had it since 3.7.6") }
        return found
    }()
    // SAFETY: filled once, before SQLite may see it, and never changed.
    nonisolated(unsafe) private static let methods: UnsafeMutablePointer<sqlite3_io_methods> = {
        let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        methods.initialize(to: makeMethods())
        return methods
    }()

    /// Makes it the one that databases are opened with.
    static let install: Void = {
        let ours = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        ours.initialize(to: system.pointee)
        ours.pointee.pNext = nil
        ours.pointee.szOsFile += Int32(PastFile.byteCount)
        ours.pointee.xOpen = { _, name, file, flags, outFlags in
            PastFileSystem.open(name, file, flags, outFlags)
        }
        let name = Array("sluice-past".utf8CString)
        let kept = UnsafeMutablePointer<CChar>.allocate(capacity: name.count)
        kept.initialize(from: name, count: name.count)
        ours.pointee.zName = UnsafePointer(kept)
        precondition(sqlite3_vfs_register(ours, 1) == SQLITE_OK, "a VFS with a name can be registered")
    }()

    /// From here on the file at that path, which has no links in it, is read through these pages.
    static func put(_ pages: PastPages, at path: String) { files.withLock { $0[path] = pages } }

    /// The pages of the file at that path.
    static func pages(at path: String) -> PastPages? { files.withLock { $0[path] } }

    /// The file at that path is closed and gone.
    static func remove(_ path: String) { _ = files.withLock { $0.removeValue(forKey: path) } }

    private static func open(
        _ name: UnsafePointer<CChar>?, _ file: UnsafeMutablePointer<sqlite3_file>?, _ flags: Int32,
        _ outFlags: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        guard let file, flags & SQLITE_OPEN_MAIN_DB != 0, let name, let pages = pages(at: String(cString: name)) else {
            return system.pointee.xOpen(system, name, file, flags, outFlags)
        }
        let past = PastFile(file)
        file.pointee.pMethods = nil
        let code = system.pointee.xOpen(system, name, past.own, flags, outFlags)
        guard code == SQLITE_OK else { return code }
        past.hold(pages)
        file.pointee.pMethods = UnsafePointer(methods)
        return SQLITE_OK
    }

    private static func makeMethods() -> sqlite3_io_methods {
        var methods = sqlite3_io_methods()
        // Without memory mapping, which came with the third version.
        methods.iVersion = 2
        methods.xClose = { PastFile($0).close() }
        methods.xRead = { PastFile($0).read($1, $2, $3) }
        methods.xWrite = { PastFile($0).write($1, $2, $3) }
        methods.xTruncate = { PastFile($0).truncate($1) }
        methods.xFileSize = { PastFile($0).size($1) }
        methods.xSync = { file, flags in PastFile(file).pass { $0.xSync($1, flags) } }
        methods.xLock = { file, level in PastFile(file).pass { $0.xLock($1, level) } }
        methods.xUnlock = { file, level in PastFile(file).pass { $0.xUnlock($1, level) } }
        methods.xCheckReservedLock = { file, out in PastFile(file).pass { $0.xCheckReservedLock($1, out) } }
        methods.xFileControl = { file, what, argument in
            PastFile(file).pass { $0.xFileControl($1, what, argument) }
        }
        methods.xSectorSize = { file in PastFile(file).pass { $0.xSectorSize($1) } }
        methods.xDeviceCharacteristics = { file in PastFile(file).pass { $0.xDeviceCharacteristics($1) } }
        methods.xShmMap = { file, region, size, extend, out in
            PastFile(file).pass { $0.xShmMap($1, region, size, extend, out) }
        }
        methods.xShmLock = { file, offset, count, flags in
            PastFile(file).pass { $0.xShmLock($1, offset, count, flags) }
        }
        methods.xShmBarrier = { file in
            _ = PastFile(file).pass {
                $0.xShmBarrier($1)
                return SQLITE_OK
            }
        }
        methods.xShmUnmap = { file, delete in PastFile(file).pass { $0.xShmUnmap($1, delete) } }
        return methods
    }
}
