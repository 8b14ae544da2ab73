#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The files of the file system.
package struct DiskKeyStorage: KeyStorage {
    package init() {}

    package func open(_ path: String, isWritable: Bool) throws(SecretsError) -> (any KeyFile)? {
        let descriptor = openFile(path, (isWritable ? O_RDWR : O_RDONLY) | O_CLOEXEC, 0)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw SecretsError("open", path)
        }
        return ProtectedFile(descriptor, path)
    }

    package func make(_ path: String) throws(SecretsError) -> any KeyFile {
        let descriptor = openFile(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SecretsError("create", path) }
        return ProtectedFile(descriptor, path)
    }

    package func remove(_ path: String) throws(SecretsError) {
        guard unlink(path) == 0 else { throw SecretsError("unlink", path) }
    }

    package func rename(_ path: String, to target: String) throws(SecretsError) {
        guard renameFile(path, target) == 0 else { throw SecretsError("rename", path) }
    }

    package func syncDirectory(of path: String) throws(SecretsError) {
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = openFile(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw SecretsError("open", directory) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SecretsError("fsync", directory) }
    }
}

/// A file that its owner alone may read, with calls that say when something is on the disk. Closed when let go.
package final class ProtectedFile: KeyFile {
    private let descriptor: Int32
    private let path: String

    fileprivate init(_ descriptor: Int32, _ path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    /// Makes a file with these contents, durably: at its path it is whole, or not there. An existing one is replaced.
    package static func create(_ path: String, _ contents: [UInt8]) throws(SecretsError) {
        try DiskKeyStorage().create(path, contents)
    }

    package func mode() throws(SecretsError) -> UInt32 { UInt32(try status().st_mode) }

    package func size() throws(SecretsError) -> Int { Int(try status().st_size) }

    private func status() throws(SecretsError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SecretsError("fstat", path) }
        return status
    }

    package func read(at offset: Int, count: Int) throws(SecretsError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                pread(descriptor, buffer.baseAddress.map { $0 + done }, count - done, off_t(offset + done))
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw SecretsError("read", path) }
            if got == 0 { break }
            done += got
        }
        bytes.removeLast(count - done)
        return bytes
    }

    package func write(_ bytes: [UInt8], at offset: Int) throws(SecretsError) {
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

    package func sync() throws(SecretsError) {
        #if canImport(Glibc)
            let result = fdatasync(descriptor)
        #else
            let result = fcntl(descriptor, F_FULLFSYNC)
        #endif
        guard result == 0 else { throw SecretsError("fdatasync", path) }
    }

    package func truncate(to size: Int) throws(SecretsError) {
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw SecretsError("ftruncate", path) }
    }
}

private func openFile(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 { open(path, flags, mode) }

private func renameFile(_ path: String, _ target: String) -> Int32 { rename(path, target) }

extension SecretsError {
    /// The error for a refusal of the operating system.
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
