#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

import Domain
import EventLog
import Secrets

/// Where a backup is: `manifest.json`, the segments in `log/`, and a copy of the keyring.
///
/// What a manifest names never changes; a new backup adds files, replaces the manifest and then removes what is not
/// named any more. So there is a whole backup at any time, whenever one is interrupted.
struct BackupDirectory: Sendable {
    private static let keyringPrefix = "keyring-"
    private static let draft = BackupManifest.fileName + ".draft"

    let path: String
    let files: PosixLogStorage
    let segments: PosixLogStorage
    private let lock: BackupLock

    private var incomingPath: String { path + "/incoming" }

    /// Opens a backup to read it; another process may do the same, but none may write.
    init(reading path: String) throws(DaemonError) {
        guard isDirectory(path), isDirectory(path + "/log") else {
            throw DaemonError(.notFound, "there is no backup in \(path)")
        }
        try self.init(path, lock: try BackupLock(path, isExclusive: false))
    }

    /// Opens a place to write backups to; makes it unless it exists.
    ///
    /// - Throws: `destinationUnusable` for a place that holds something else, or that cannot be written.
    init(writing path: String) throws(DaemonError) {
        if fileExists(path), !isDirectory(path) {
            throw DaemonError(.destinationUnusable, "\(path) is not a directory; choose another destination")
        }
        let files = try Self.writing { () throws(StorageError) in try PosixLogStorage(directory: path) }
        let lock = try BackupLock(path, isExclusive: true)
        let names = try Self.writing { () throws(StorageError) in try files.names() }
        if !names.contains(BackupManifest.fileName), let other = names.first(where: { !Self.isOurs($0) }) {
            throw DaemonError(
                .destinationUnusable,
                "\(path) holds \(other) and no backup; choose an empty or a new directory as destination")
        }
        try self.init(path, lock: lock)
    }

    private init(_ path: String, lock: BackupLock) throws(DaemonError) {
        self.path = path
        self.lock = lock
        files = try Self.writing { () throws(StorageError) in try PosixLogStorage(directory: path) }
        segments = try Self.writing { () throws(StorageError) in try PosixLogStorage(directory: path + "/log") }
    }

    /// What the newest backup holds; `nil` when there is none.
    func manifest() throws(DaemonError) -> BackupManifest? {
        let bytes = try Self.writing { () throws(StorageError) -> [UInt8]? in
            guard try files.names().contains(BackupManifest.fileName) else { return nil }
            let file = try files.open(BackupManifest.fileName, isWritable: false)
            return try file.read(at: 0, count: Int(min(try file.size(), BackupManifest.bytesMax)))
        }
        return try bytes.map { bytes throws(DaemonError) in try BackupManifest(parsing: bytes) }
    }

    /// An empty place for files that are not whole yet.
    func incoming() throws(DaemonError) -> PosixLogStorage {
        try removeIncoming()
        return try Self.writing { () throws(StorageError) in try PosixLogStorage(directory: incomingPath) }
    }

    /// Gives a whole file from `incoming` its place among the segments; durable with the next `publish`.
    func accept(_ incoming: String, asSegment name: String) throws(DaemonError) {
        try move(incomingPath + "/" + incoming, to: segments.directory + "/" + name)
    }

    /// Copies the keyring; `nil` when there is none.
    ///
    /// - Parameters:
    ///   - previous: the keyring of the backup that is there.
    ///   - succession: decides whether the new one may take its place.
    func copyKeyring(
        _ path: String, after previous: BackupManifest.Keyring?, _ succession: KeyringSuccession
    ) throws(DaemonError) -> BackupManifest.Keyring? {
        let incoming = incomingPath + "/keyring"
        do throws(SecretsError) {
            let new = try KeyringCopy.make(of: path, to: incoming)
            if let previous, let old = try KeyringCopy.inventory(of: self.path + "/" + previous.file) {
                try succession.check(new, after: old)
            }
            guard new != nil else { return nil }
        } catch {
            try destroyKeyring(incoming)
            throw DaemonError(error)
        }
        let place = try Self.writing { () throws(StorageError) in try PosixLogStorage(directory: incomingPath) }
        let size = try Self.writing { () throws(StorageError) in
            try place.open("keyring", isWritable: false).size()
        }
        let digest = try Self.reading { () throws(LogError) in
            try SegmentCopy.digest(of: "keyring", byteCount: size, in: place)
        }
        let name = Self.keyringPrefix + digest.prefix(16)
        try move(incoming, to: self.path + "/" + name)
        return BackupManifest.Keyring(file: name, byteCount: size, sha256: digest)
    }

    /// Makes the backup the one that counts, durably; then removes what it does not name.
    func publish(_ manifest: BackupManifest) throws(DaemonError) {
        try Self.writing { () throws(StorageError) in
            try segments.syncDirectory()
            if try files.names().contains(Self.draft) { try files.remove(Self.draft) }
            let file = try files.create(Self.draft)
            try file.write(ManifestChecksum.file(manifest.json.text), at: 0)
            try file.sync()
            try files.syncDirectory()
        }
        try move(path + "/" + Self.draft, to: path + "/" + BackupManifest.fileName)
        try Self.writing { () throws(StorageError) in
            try files.syncDirectory()
            let named = Set(manifest.segments.map(\.file))
            for name in try segments.names() where !named.contains(name) { try segments.remove(name) }
        }
        for name in try Self.writing({ () throws(StorageError) in try files.names() })
        where name.hasPrefix(Self.keyringPrefix) && name != manifest.keyring?.file {
            try destroyKeyring(path + "/" + name)
        }
        try removeIncoming()
    }

    /// Removes files that are not whole yet.
    func removeIncoming() throws(DaemonError) {
        guard isDirectory(incomingPath) else { return }
        let place = try Self.writing { () throws(StorageError) in try PosixLogStorage(directory: incomingPath) }
        for name in try Self.writing({ () throws(StorageError) in try place.names() }) {
            if name.hasPrefix("keyring") {
                try destroyKeyring(incomingPath + "/" + name)
            } else {
                try Self.writing { () throws(StorageError) in try place.remove(name) }
            }
        }
        guard rmdir(incomingPath) == 0 else { throw Self.unusable("rmdir \(incomingPath)") }
    }

    private func destroyKeyring(_ path: String) throws(DaemonError) {
        do throws(SecretsError) {
            try KeyringCopy.destroy(path)
        } catch {
            throw DaemonError(.destinationUnusable, error.description)
        }
    }

    private func move(_ path: String, to target: String) throws(DaemonError) {
        guard rename(path, target) == 0 else { throw Self.unusable("rename \(path)") }
    }

    private static func isOurs(_ name: String) -> Bool {
        ["log", "incoming", "lost+found", draft].contains(name) || name.hasPrefix(keyringPrefix)
    }

    private static func unusable(_ call: String) -> DaemonError {
        DaemonError(.destinationUnusable, "\(call): \(String(cString: strerror(errno)))")
    }

    /// What the operating system refuses is told as a fault of the backup's place.
    static func writing<Value>(_ body: () throws(StorageError) -> Value) throws(DaemonError) -> Value {
        do throws(StorageError) {
            return try body()
        } catch {
            throw DaemonError(.destinationUnusable, "the backup cannot be read or written: \(error.description)")
        }
    }

    static func reading<Value>(_ body: () throws(LogError) -> Value) throws(DaemonError) -> Value {
        do throws(LogError) {
            return try body()
        } catch {
            throw DaemonError(.backupUnusable, error.description)
        }
    }
}

/// Keeps two backups from writing to one place, and readers from what is being replaced. Given up at a crash too.
private final class BackupLock: Sendable {
    private let descriptor: Int32

    init(_ path: String, isExclusive: Bool) throws(DaemonError) {
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw DaemonError(.destinationUnusable, "open \(path): \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, (isExclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 else {
            close(descriptor)
            throw DaemonError(.directoryInUse, "another process is at the backup \(path); try again when it has ended")
        }
    }

    deinit { close(descriptor) }
}

private func fileExists(_ path: String) -> Bool { access(path, F_OK) == 0 }

func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}
