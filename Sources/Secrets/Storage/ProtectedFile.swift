#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file that its owner alone may read, with calls that say when something is on the disk. Closed when let go.
package final class ProtectedFile: Sendable {
    private let descriptor: Int32
    private let path: String

    private init(_ descriptor: Int32, _ path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// Opens a file; `nil` when there is none.
    static func open(_ path: String, isWritable: Bool = false) throws(SecretsError) -> ProtectedFile? {
        let descriptor = openFile(path, (isWritable ? O_RDWR : O_RDONLY) | O_CLOEXEC, 0)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw SecretsError("open", path)
        }
        return ProtectedFile(descriptor, path)
    }

    /// Makes a file with these contents, durably: at its path it is whole, or not there. An existing one is replaced.
    package static func create(_ path: String, _ contents: [UInt8]) throws(SecretsError) {
        let draft = path + ".draft"
        _ = unlink(draft)
        let descriptor = openFile(draft, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SecretsError("create", draft) }
        let file = ProtectedFile(descriptor, draft)
        try file.write(contents, at: 0)
        try file.sync()
        try rename(draft, to: path)
    }

    static func rename(_ path: String, to target: String) throws(SecretsError) {
        guard renameFile(path, target) == 0 else { throw SecretsError("rename", path) }
        try syncDirectory(of: target)
    }

    /// Overwrites the file with zeros before it goes, so that its blocks hold nothing; no file is no error.
    static func destroy(_ path: String) throws(SecretsError) {
        guard let file = try open(path, isWritable: true) else { return }
        try file.erase()
        guard unlink(path) == 0 else { throw SecretsError("unlink", path) }
        try syncDirectory(of: path)
    }

    func mode() throws(SecretsError) -> UInt32 {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SecretsError("fstat", path) }
        return UInt32(status.st_mode)
    }

    func size() throws(SecretsError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SecretsError("fstat", path) }
        return Int(status.st_size)
    }

    func read(bytesMax: Int) throws(SecretsError) -> [UInt8] {
        let count = min(try size(), bytesMax)
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                pread(descriptor, buffer.baseAddress.map { $0 + done }, count - done, off_t(done))
            }
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { throw SecretsError("read", path) }
            done += got
        }
        return bytes
    }

    func write(_ bytes: [UInt8], at offset: Int) throws(SecretsError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                pwrite(descriptor, buffer.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SecretsError("write", path) }
            done += count
        }
    }

    func sync() throws(SecretsError) {
        #if canImport(Glibc)
            let result = fdatasync(descriptor)
        #else
            let result = fcntl(descriptor, F_FULLFSYNC)
        #endif
        guard result == 0 else { throw SecretsError("fdatasync", path) }
    }

    func truncate(to size: Int) throws(SecretsError) {
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw SecretsError("ftruncate", path) }
    }

    /// Zeros instead of everything that is in it, durably.
    func erase() throws(SecretsError) {
        try write([UInt8](repeating: 0, count: try size()), at: 0)
        try sync()
    }

    private static func syncDirectory(of path: String) throws(SecretsError) {
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = openFile(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw SecretsError("open", directory) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SecretsError("fsync", directory) }
    }
}

private func openFile(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 { open(path, flags, mode) }

private func renameFile(_ path: String, _ target: String) -> Int32 { rename(path, target) }

extension SecretsError {
    /// What the operating system refused.
    fileprivate init(_ call: String, _ path: String) {
        let code = errno
        let what = "\(call) \(path): \(String(cString: strerror(code)))"
        if code == ENOSPC || code == EDQUOT {
            self.init(.keyringNoSpace, "\(what): there is no space for keys; free some")
        } else {
            self.init(.keyringUnusable, "\(what); see to its permissions and to its disk")
        }
    }
}
