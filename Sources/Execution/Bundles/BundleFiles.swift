#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Directories that are made whole or not at all, and never changed afterwards. All calls block.
package enum BundleFiles {
    /// The last file that is written into a directory: what lacks it is a remainder, whatever its name.
    private static let marker = "complete"

    static func makeDirectory(_ path: String) throws(AgentRefusal) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure(path) }
    }

    /// Makes a directory that every user may read.
    static func makeReadableDirectory(_ path: String) throws(AgentRefusal) {
        try makeDirectory(path)
        guard chmod(path, 0o755) == 0 else { throw failure(path) }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// True for a directory that `install` has put there.
    package static func isComplete(_ path: String) -> Bool { exists(path + "/" + marker) }

    /// The whole file; `nil` when there is none. No more than `bytesMax` from its end.
    static func tail(of path: String, bytesMax: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let size = lseek(descriptor, 0, SEEK_END)
        var bytes = [UInt8](repeating: 0, count: min(bytesMax, Int(max(0, size))))
        let count = pread(descriptor, &bytes, bytes.count, max(0, size - off_t(bytes.count)))
        return Array(bytes.prefix(max(0, count)))
    }

    /// Writes a file with exactly that mode.
    static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o600) throws(AgentRefusal) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0, fchmod(descriptor, mode) == 0 else { throw failure(path) }
        defer { close(descriptor) }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw failure(path) }
            written += count
        }
    }

    /// Writes sources under `root`, with the directories on the way.
    static func write(_ sources: [AgentDefinition.SourceFile], under root: String) throws(AgentRefusal) {
        for file in sources {
            var directory = root
            for part in file.path.split(separator: "/").dropLast() {
                directory += "/" + part
                try makeDirectory(directory)
            }
            try write(Array(file.content.utf8), to: root + "/" + file.path, mode: 0o644)
        }
    }

    /// Makes a built directory durable and read-only, and gives it its final name. The first one there stays.
    package static func install(_ staging: String, as path: String) throws(AgentRefusal) {
        try DirectoryTree.seal(staging)
        try write([], to: staging + "/" + marker, mode: 0o444)
        try sync(staging + "/" + marker)
        try sync(staging)
        if exists(path), !isComplete(path) { DirectoryTree.remove(path) }
        // The name of a directory changes by writing in it where the user is not root.
        chmod(staging, 0o755)
        guard rename(staging, path) == 0 || errno == EEXIST || errno == ENOTEMPTY else { throw failure(path) }
        chmod(path, 0o555)
        DirectoryTree.remove(staging)
        try sync(String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex)))
    }

    /// Removes what an interrupted build or removal has left.
    ///
    /// - Parameter requiresMarker: true where every directory was put by `install`.
    static func removeRemainders(in directory: String, requiresMarker: Bool) {
        for name in names(in: directory) {
            let path = directory + "/" + name
            if DirectoryTree.isRemainder(name) || (requiresMarker && !isComplete(path)) { DirectoryTree.remove(path) }
        }
    }

    static func names(in directory: String) -> [String] {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        return DirectoryTree.names(in: descriptor).map { name in
            String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    private static func sync(_ path: String) throws(AgentRefusal) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure(path) }
    }

    private static func failure(_ path: String) -> AgentRefusal {
        let name = path.split(separator: "/").last ?? ""
        return AgentRefusal("the bundle cannot be written (\(name)): \(String(cString: strerror(errno)))")
    }
}
