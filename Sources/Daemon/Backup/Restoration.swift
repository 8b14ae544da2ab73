import EventLog

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Makes a data directory of a backup: the log up to a point, and the keyring as it was last.
///
/// Read models and snapshots are made anew at the start. Keys that were destroyed after the point stay destroyed.
package struct Restoration: Sendable {
    package struct Outcome: Hashable, Sendable {
        /// The last position of the new log.
        package let position: UInt64
        /// Its RFC 6962 tree head, lower-case hex.
        package let rootHash: String
        package let hasKeyring: Bool
    }

    private let source: String
    private let target: DataDirectory

    /// - Parameter dataDirectory: an empty directory, or one that is not there yet.
    package init(_ source: String, to dataDirectory: String) {
        self.source = source
        target = DataDirectory(dataDirectory)
    }

    /// Checks the whole backup, then writes. The log gets its name last: until then no daemon starts there.
    ///
    /// - Throws: `DaemonError.backupUnusable` for a backup that is not whole, `.destinationUnusable` for a target that
    ///   holds something, `.notFound` when the backup does not have the point.
    package func run(
        until point: RestorePoint, progress: (_ done: UInt64, _ total: UInt64) -> Void
    ) throws -> Outcome {
        try target.checkVacant()
        let backup = try BackupVerification(source)
        let report = try backup.run { done, total in progress(done, total * 2) }
        if let first = report.problems.first {
            throw DaemonError(
                .backupUnusable,
                "the backup is damaged: \(first); `sluice backup verify` shows all \(report.problems.count) problems")
        }
        let position = try point.position(in: backup.storage, newest: backup.manifest.position)
        try target.create()
        let lock = try DirectoryLock(target)
        defer { withExtendedLifetime(lock) {} }
        try target.checkVacant()
        let root = try write(backup, position) { progress(max(position, 1) + $0, max(position, 1) * 2) }
        return Outcome(position: position, rootHash: root, hasKeyring: backup.manifest.keyring != nil)
    }

    private func write(
        _ backup: BackupVerification, _ position: UInt64, _ progress: (UInt64) -> Void
    ) throws -> String {
        let partial = target.unfinishedRestore
        try target.removeUnfinishedRestore()
        let root = try PosixLogStorage(directory: target.path)
        let place = try PosixLogStorage(directory: partial)
        let log = try PosixLogStorage(directory: partial + "/log")
        let head: String
        do {
            head = try LogRestoration.write(backup.storage, through: position, to: log, progress: progress)
            if let keyring = backup.manifest.keyring {
                try copy(keyring, of: backup, to: place)
            }
            if position < backup.manifest.position { try place.create("restore.point").sync() }
            try place.syncDirectory()
        } catch let error as LogError {
            throw DaemonError(.destinationUnusable, error.description)
        } catch let error as StorageError {
            throw DaemonError(.destinationUnusable, error.description)
        }
        if backup.manifest.keyring != nil { try move(partial + "/keyring", to: target.keyring) }
        if position < backup.manifest.position { try move(partial + "/restore.point", to: target.earlierPoint) }
        try move(partial + "/log", to: target.log)
        guard rmdir(partial) == 0 else { throw refused("rmdir \(partial)") }
        try BackupDirectory.writing { () throws(StorageError) in try root.syncDirectory() }
        return head
    }

    private func copy(
        _ keyring: BackupManifest.Keyring, of backup: BackupVerification, to place: PosixLogStorage
    ) throws(StorageError) {
        let original = try backup.directory.files.open(keyring.file, isWritable: false)
        let file = try place.create("keyring")
        try file.write(try original.read(at: 0, count: Int(keyring.byteCount)), at: 0)
        try file.sync()
    }

    private func move(_ path: String, to target: String) throws(DaemonError) {
        guard rename(path, target) == 0 else { throw refused("rename \(path)") }
    }

    private func refused(_ call: String) -> DaemonError {
        DaemonError(.destinationUnusable, "\(call): \(String(cString: strerror(errno)))")
    }
}
