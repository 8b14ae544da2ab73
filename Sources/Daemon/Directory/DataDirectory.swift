#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

import EventLog

/// Where everything of one Sluice is: the log, the read models made from it, and the lock.
package struct DataDirectory: Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    package var log: String { path + "/log" }
    package var readModel: String { path + "/read-model.sqlite" }
    /// A mark that says how the last process left the read models.
    var readModelMark: String { path + "/read-model.state" }
    /// Read models of past positions: some as bases for others, and what was asked for.
    var pastReadModels: String { path + "/as-of" }
    /// Sockets of this run of the daemon.
    var runtime: String { path + "/run" }
    var snapshots: String { path + "/snapshots" }
    /// The log's tree, and what is signed of it.
    var audit: String { path + "/audit" }
    /// How far the log was told of to those who follow security events.
    var notices: String { path + "/notices" }
    /// The time of the machine's start, as the clock has it.
    var clock: String { path + "/clock" }
    /// The times at which API keys were last used.
    var keyUses: String { path + "/key-uses" }
    var keyring: String { path + "/keyring" }
    var masterKey: String { path + "/master.key" }
    var lock: String { path + "/LOCK" }

    /// Makes the directory, for its owner alone, or checks that the existing one is closed to other users.
    func create() throws(DaemonError) {
        if mkdir(path, 0o700) == 0 { return }
        guard errno == EEXIST else {
            throw DaemonError(
                .directoryUnusable,
                "data directory \(path) cannot be made: \(String(cString: strerror(errno))); choose another --data-dir")
        }
        try checkPrivate()
    }

    /// Checks that the directory belongs to this process's user, who alone has access to it: it holds keys, and what
    /// agents and people write.
    func checkPrivate() throws(DaemonError) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return }
        guard status.st_uid == geteuid() else {
            throw DaemonError(
                .directoryUnusable,
                "data directory \(path) belongs to user \(status.st_uid), and this is user \(geteuid()): run the "
                    + "command as its owner, or run `chown -R \(geteuid()) \(path)`")
        }
        guard status.st_mode & 0o077 != 0 else { return }
        let mode = "0" + String(status.st_mode & 0o777, radix: 8)
        throw DaemonError(
            .directoryUnusable,
            "other users have access to data directory \(path) (mode \(mode)): run `chmod 700 \(path)`")
    }

    /// Closes the files of read models to other users; SQLite gives its side files the mode of the database.
    func protectReadModel() {
        for suffix in ["", "-wal", "-shm", "-journal"] { chmod(readModel + suffix, 0o600) }
    }

    /// The same path, whatever the working directory is.
    func absolute() -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The same for a directory that may not be there yet: its parent has to be.
    func absoluteOrPlanned() -> String {
        if access(path, F_OK) == 0 { return absolute() }
        let parts = path.split(separator: "/", omittingEmptySubsequences: true)
        let parent = (path.hasPrefix("/") ? "/" : "") + parts.dropLast().joined(separator: "/")
        return DataDirectory(parent.isEmpty ? "." : parent).absolute() + "/" + (parts.last ?? "")
    }

    /// The log's files, to read them.
    func logStorage() throws(DaemonError) -> PosixLogStorage {
        do throws(StorageError) {
            return try PosixLogStorage(directory: log)
        } catch {
            throw DaemonError(.directoryUnusable, error.description)
        }
    }

    /// Checks that there is a log to read. The directory may be a copy that others can read too, as auditors have it.
    func checkExists() throws(DaemonError) {
        guard access(log, R_OK | X_OK) == 0 else {
            throw DaemonError(.notFound, "there is no log in \(path); choose another --data-dir")
        }
    }
}

/// Keeps a second process from writing to a data directory. Given up when nobody holds it, at a crash too.
///
/// The directory itself is locked, because a lock file can be deleted and made anew; the file says who holds the lock.
final class DirectoryLock: Sendable {
    private let descriptor: Int32

    init(_ directory: DataDirectory) throws(DaemonError) {
        descriptor = open(directory.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.unusable(directory) }
        let note = open(directory.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard note >= 0 else {
            let error = Self.unusable(directory)
            close(descriptor)
            throw error
        }
        defer { close(note) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let owner = Self.owner(note)
            close(descriptor)
            throw DaemonError(
                .directoryInUse,
                "data directory \(directory.path) is in use by process \(owner); stop it or choose another --data-dir")
        }
        let text = "\(getpid())\n"
        ftruncate(note, 0)
        _ = text.withCString { pwrite(note, $0, strlen($0), 0) }
    }

    deinit { close(descriptor) }

    private static func unusable(_ directory: DataDirectory) -> DaemonError {
        DaemonError(
            .directoryUnusable,
            "data directory \(directory.path) cannot be written: \(String(cString: strerror(errno))); "
                + "make it writable or choose another --data-dir")
    }

    private static func owner(_ note: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 20)
        let count = pread(note, &bytes, bytes.count, 0)
        let digits = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).prefix { $0.isNumber }
        return digits.isEmpty ? "(unknown)" : String(digits)
    }
}
