#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Directories that are made whole or not at all, and never changed afterwards. All calls block.
enum BundleFiles {
    static func makeDirectory(_ path: String) throws(AgentRefusal) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure(path) }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

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

    static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o600) throws(AgentRefusal) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw failure(path) }
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

    /// Makes a built directory lasting and read-only, and gives it its final name. Whoever was first has won.
    static func install(_ staging: String, as path: String) throws(AgentRefusal) {
        try walk(staging) { entry, kind throws(AgentRefusal) in
            if kind == .link { return }
            let descriptor = open(entry, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            guard descriptor >= 0 else { throw failure(entry) }
            defer { close(descriptor) }
            var status = stat()
            fstat(descriptor, &status)
            fchown(descriptor, geteuid(), getegid())
            let runs = kind == .directory || status.st_mode & 0o100 != 0
            guard fchmod(descriptor, runs ? 0o555 : 0o444) == 0, fsync(descriptor) == 0 else { throw failure(entry) }
        }
        // The name of a directory changes by writing in it where the user is not root.
        chmod(staging, 0o755)
        guard rename(staging, path) == 0 || errno == EEXIST || errno == ENOTEMPTY else { throw failure(path) }
        chmod(path, 0o555)
        remove(staging)
        let parent = open(String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex)), O_RDONLY | O_CLOEXEC)
        guard parent >= 0 else { throw failure(path) }
        defer { close(parent) }
        guard fsync(parent) == 0 else { throw failure(path) }
    }

    /// Deletes a directory and everything in it; links are not followed.
    static func remove(_ path: String) {
        chmod(path, 0o700)
        var entries: [(String, Kind)] = []
        try? walk(path) { entry, kind throws(AgentRefusal) in
            if kind == .directory { chmod(entry, 0o700) }
            entries.append((entry, kind))
        }
        for (entry, kind) in entries.reversed() {
            _ = kind == .directory ? rmdir(entry) : unlink(entry)
        }
    }

    /// What is left of builds that a crash has ended.
    static func removeStaging(in directory: String) {
        for name in names(in: directory) where name.hasPrefix(stagingPrefix) { remove(directory + "/" + name) }
    }

    static let stagingPrefix = ".building-"

    enum Kind { case file, directory, link }

    /// Visits the path and everything under it, a directory before what is in it.
    static func walk(
        _ path: String, _ visit: (String, Kind) throws(AgentRefusal) -> Void
    ) throws(AgentRefusal) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        switch status.st_mode & S_IFMT {
        case S_IFDIR:
            try visit(path, .directory)
            for name in names(in: path) { try walk(path + "/" + name, visit) }
        case S_IFLNK: try visit(path, .link)
        case S_IFREG: try visit(path, .file)
        default: unlink(path)
        }
    }

    static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private static func failure(_ path: String) -> AgentRefusal {
        let name = path.split(separator: "/").last ?? ""
        return AgentRefusal("the bundle cannot be written (\(name)): \(String(cString: strerror(errno)))")
    }
}
