#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A directory that foreign code has written, or may be writing.
///
/// Every entry is reached by the descriptor of its directory and by the bytes of its name, so names that are no UTF-8,
/// paths longer than `PATH_MAX` and symbolic links make no difference: links are never followed. All calls block.
package enum DirectoryTree {
    /// The size of a tree, as far as it was counted.
    package struct Size: Hashable, Sendable {
        package var bytes = 0
        package var entries = 0
    }

    /// An entry that is visited.
    struct Entry {
        enum Kind { case directory, file, link, other }

        let directory: Int32
        let name: [CChar]
        let kind: Kind
        let status: stat
    }

    /// Directories deeper than this are refused: no package has such, and each level costs a descriptor.
    package static let depthMax = 64
    private static let batchMax = 1024
    /// `O_PATH`, which Swift does not import: the place of a file, with no right to what is in it.
    static let placeOnly: Int32 = 0o10000000

    /// Deletes the directory and everything in it.
    ///
    /// It is renamed first, to a name that `isRemainder` recognizes, so an interrupted removal leaves nothing that could
    /// be taken for a complete directory.
    ///
    /// - Returns: true when nothing is left.
    @discardableResult
    package static func remove(_ path: String) -> Bool {
        var status = stat()
        guard lstat(path, &status) == 0 else { return errno == ENOENT }
        guard status.st_mode & S_IFMT == S_IFDIR else { return unlink(path) == 0 }
        chmod(path, 0o700)
        let path = renamed(path, status)
        let root = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard root >= 0 else { return false }
        defer { close(root) }
        empty(root)
        return rmdir(path) == 0
    }

    /// True for the name of something that was being made or removed when a process ended.
    package static func isRemainder(_ name: String) -> Bool {
        name.hasPrefix(stagingPrefix) || name.hasPrefix(removalPrefix)
    }

    static let stagingPrefix = ".building-"
    private static let removalPrefix = ".removing-"

    private static func renamed(_ path: String, _ status: stat) -> String {
        let slash = path.lastIndex(of: "/")
        let name = slash.map { path[path.index(after: $0)...] } ?? path[...]
        if isRemainder(String(name)) { return path }
        let parent = slash.map { String(path[...$0]) } ?? ""
        // No two directories of a file system have the same number at a time.
        let target = parent + removalPrefix + String(status.st_ino)
        return rename(path, target) == 0 ? target : path
    }

    /// Directories are moved up to the root before their contents are deleted, so that no depth needs more than two
    /// descriptors.
    private static func empty(_ root: Int32) {
        var lastNumber = 0
        while true {
            let names = names(in: root, max: batchMax)
            var progress = 0
            for name in names {
                if unlinkat(root, name, 0) == 0 || unlinkat(root, name, AT_REMOVEDIR) == 0 {
                    progress += 1
                } else if let directory = openDirectory(name, in: root) {
                    progress += hoist(directory, to: root, &lastNumber)
                    close(directory)
                    if unlinkat(root, name, AT_REMOVEDIR) == 0 { progress += 1 }
                }
            }
            // A remainder that cannot be deleted stays under a name that is never read.
            if progress == 0 { return }
        }
    }

    /// Deletes the files of a directory and moves its directories to the root; counts both.
    private static func hoist(_ directory: Int32, to root: Int32, _ lastNumber: inout Int) -> Int {
        var total = 0
        while true {
            var progress = 0
            for name in names(in: directory, max: batchMax) {
                if unlinkat(directory, name, 0) == 0 || unlinkat(directory, name, AT_REMOVEDIR) == 0 {
                    progress += 1
                    continue
                }
                // Its entry for the parent changes, for which the directory has to be writable.
                if let child = openDirectory(name, in: directory) { close(child) }
                for _ in 0..<batchMax {
                    lastNumber += 1
                    if renameat(directory, name, root, "\(lastNumber)") == 0 {
                        progress += 1
                        break
                    }
                    guard errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR else { break }
                }
            }
            total += progress
            if progress == 0 { return total }
        }
    }

    /// Counts bytes and entries, until one of the limits is exceeded. A tree that is too deep exceeds both.
    package static func size(of path: String, bytesMax: Int, entriesMax: Int) -> Size {
        var size = Size()
        let root = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard root >= 0 else { return size }
        defer { close(root) }
        do throws(Interruption) {
            try visit(root) { entry throws(Interruption) in
                size.entries += 1
                size.bytes += Int(entry.status.st_blocks) * 512
                if size.bytes > bytesMax || size.entries > entriesMax { throw .stopped }
            }
        } catch {
            if error == .tooDeep { size = Size(bytes: .max, entries: .max) }
        }
        return size
    }

    enum Interruption: Error { case stopped, tooDeep }

    /// Visits everything below a directory; a directory after what is in it.
    static func visit(
        _ directory: Int32, depth: Int = 0, _ body: (Entry) throws(Interruption) -> Void
    ) throws(Interruption) {
        guard depth < depthMax else { throw .tooDeep }
        for name in names(in: directory) {
            var status = stat()
            guard fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
            let kind: Entry.Kind
            switch status.st_mode & S_IFMT {
            case S_IFDIR: kind = .directory
            case S_IFREG: kind = .file
            case S_IFLNK: kind = .link
            default: kind = .other
            }
            if kind == .directory, let child = openDirectory(name, in: directory) {
                defer { close(child) }
                try visit(child, depth: depth + 1, body)
            }
            try body(Entry(directory: directory, name: name, kind: kind, status: status))
        }
    }

    /// Opens a directory, and makes it accessible to its owner when it is not.
    static func openDirectory(_ name: [CChar], in directory: Int32) -> Int32? {
        let place = openat(directory, name, placeOnly | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard place >= 0 else { return nil }
        defer { close(place) }
        var status = stat()
        if fstat(place, &status) == 0, status.st_mode & 0o700 != 0o700 {
            chmod("/proc/self/fd/\(place)", status.st_mode & 0o777 | 0o700)
        }
        let descriptor = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        return descriptor >= 0 ? descriptor : nil
    }

    /// The names of a directory's entries, with the zero at their end.
    static func names(in directory: Int32, max: Int = .max) -> [[CChar]] {
        let copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else {
            if copy >= 0 { close(copy) }
            return []
        }
        defer { closedir(stream) }
        var names: [[CChar]] = []
        while names.count < max, let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { pointer in
                    Array(UnsafeBufferPointer(start: pointer, count: strlen(pointer) + 1))
                }
            }
            if name != [46, 0], name != [46, 46, 0] { names.append(name) }
        }
        return names
    }
}
