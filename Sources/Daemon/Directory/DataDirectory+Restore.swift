import EventLog

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension DataDirectory {
    /// What a restore has written before it is whole.
    var unfinishedRestore: String { path + "/restore.partial" }

    /// A file that says that the log was restored to an earlier point than its keyring: until the first start has counted
    /// the keys that were destroyed since, and recorded that.
    var earlierPoint: String { path + "/restore.point" }

    /// True when the log was restored to an earlier point, and not started since.
    var isAtEarlierPoint: Bool { access(earlierPoint, F_OK) == 0 }

    /// Ends that state.
    func leaveEarlierPoint() throws(DaemonError) {
        guard isAtEarlierPoint else { return }
        guard unlink(earlierPoint) == 0 else {
            throw DaemonError(.directoryUnusable, "unlink \(earlierPoint): \(String(cString: strerror(errno)))")
        }
    }

    /// Checks that a restore may write here: nothing is lost by it.
    func checkVacant() throws(DaemonError) {
        guard access(path, F_OK) == 0 else { return }
        guard isDirectory(path) else {
            throw DaemonError(.destinationUnusable, "\(path) is not a directory; choose another --data-dir")
        }
        let harmless = ["LOCK", "restore.partial", "lost+found"]
        let names = try BackupDirectory.writing { () throws(StorageError) in
            try PosixLogStorage(directory: path).names()
        }
        if let other = names.first(where: { !harmless.contains($0) }) {
            throw DaemonError(
                .destinationUnusable,
                "\(path) is not empty, it holds \(other); choose an empty or a new directory as --data-dir")
        }
    }

    /// Removes what an earlier restore has left that was broken off.
    func removeUnfinishedRestore() throws(DaemonError) {
        for place in [unfinishedRestore + "/log", unfinishedRestore] where isDirectory(place) {
            try BackupDirectory.writing { () throws(StorageError) in
                let files = try PosixLogStorage(directory: place)
                for name in try files.names() { try files.remove(name) }
            }
            guard rmdir(place) == 0 else {
                throw DaemonError(.destinationUnusable, "rmdir \(place): \(String(cString: strerror(errno)))")
            }
        }
    }

    /// Checks that no restore was broken off here.
    func checkRestored() throws(DaemonError) {
        guard !isDirectory(unfinishedRestore) else {
            throw DaemonError(
                .directoryUnusable,
                "a restore to \(path) was broken off: run `sluice restore` again, or empty the directory")
        }
    }
}
