#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Segments as files of one directory of the file system.
package struct PosixLogStorage: LogStorage {
    package let directory: String
    /// Open for the storage's lifetime: making a change durable needs no further descriptor.
    private let opened: PosixLogFile

    /// Makes the directory, readable by its owner alone, unless it exists; a power cut does not take it away again.
    package init(directory: String) throws(StorageError) {
        self.directory = directory
        if mkdir(directory, 0o700) == 0 {
            for directory in [directory + "/..", directory + "/../.."] { try Self.sync(directory) }
        } else if errno != EEXIST {
            throw StorageError(errno, "mkdir", directory)
        }
        opened = try PosixLogFile(directory, flags: O_RDONLY | O_DIRECTORY)
    }

    package func names() throws(StorageError) -> [String] {
        guard let stream = opendir(directory) else { throw StorageError(errno, "opendir", directory) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    package func open(_ name: String, isWritable: Bool) throws(StorageError) -> any LogFile {
        try PosixLogFile(path(name), flags: isWritable ? O_RDWR : O_RDONLY)
    }

    package func create(_ name: String) throws(StorageError) -> any LogFile {
        try PosixLogFile(path(name), flags: O_RDWR | O_CREAT | O_EXCL)
    }

    package func remove(_ name: String) throws(StorageError) {
        if unlink(path(name)) != 0 { throw StorageError(errno, "unlink", path(name)) }
    }

    package func rename(_ name: String, to target: String) throws(StorageError) {
        #if canImport(Glibc)
            let result = Glibc.rename(path(name), path(target))
        #else
            let result = Darwin.rename(path(name), path(target))
        #endif
        if result != 0 { throw StorageError(errno, "rename", path(name)) }
    }

    package func syncDirectory() throws(StorageError) { try Self.sync(opened, directory) }

    private static func sync(_ directory: String) throws(StorageError) {
        try sync(try PosixLogFile(directory, flags: O_RDONLY | O_DIRECTORY), directory)
    }

    private static func sync(_ file: PosixLogFile, _ directory: String) throws(StorageError) {
        if fsync(file.descriptor) != 0 { throw StorageError(errno, "fsync", directory) }
    }

    private func path(_ name: String) -> String { directory + "/" + name }
}

/// An open file; closed when nobody holds it any more.
private final class PosixLogFile: LogFile {
    let descriptor: Int32
    private let path: String

    init(_ path: String, flags: Int32) throws(StorageError) {
        descriptor = open(path, flags | O_CLOEXEC, 0o600)
        self.path = path
        if descriptor < 0 { throw StorageError(errno, "open", path) }
    }

    deinit { close(descriptor) }

    func read(at offset: UInt64, count: Int) throws(StorageError) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = 0
            while initialized < count, let base = buffer.baseAddress {
                let got = pread(descriptor, base + initialized, count - initialized, off_t(offset) + off_t(initialized))
                if got < 0, errno == EINTR { continue }
                if got < 0 { failure = errno }
                if got <= 0 { return }
                initialized += got
            }
        }
        if failure != 0 { throw StorageError(failure, "read", path) }
        return bytes
    }

    func write(_ bytes: [UInt8], at offset: UInt64) throws(StorageError) {
        let failure = bytes.withUnsafeBytes { buffer -> Int32 in
            var written = 0
            while written < buffer.count, let base = buffer.baseAddress {
                let count = pwrite(descriptor, base + written, buffer.count - written, off_t(offset) + off_t(written))
                if count < 0, errno == EINTR { continue }
                if count < 0 { return errno }
                written += count
            }
            return 0
        }
        if failure != 0 { throw StorageError(failure, "write", path) }
    }

    func sync() throws(StorageError) {
        #if canImport(Glibc)
            let result = fdatasync(descriptor)
        #else
            let result = fcntl(descriptor, F_FULLFSYNC)
        #endif
        if result != 0 { throw StorageError(errno, "fdatasync", path) }
    }

    func size() throws(StorageError) -> UInt64 {
        var status = stat()
        if fstat(descriptor, &status) != 0 { throw StorageError(errno, "fstat", path) }
        return UInt64(status.st_size)
    }

    func truncate(to size: UInt64) throws(StorageError) {
        if ftruncate(descriptor, off_t(size)) != 0 { throw StorageError(errno, "ftruncate", path) }
    }
}

extension StorageError {
    fileprivate init(_ code: Int32, _ call: String, _ path: String) {
        let kind: Kind =
            switch code {
            case ENOSPC, EDQUOT: .noSpace
            case EMFILE, ENFILE: .noDescriptors
            case ENOENT: .notFound
            case EACCES, EPERM, EROFS: .notPermitted
            default: .other
            }
        self.init(kind: kind, description: "\(call) \(path): \(String(cString: strerror(code)))")
    }
}
