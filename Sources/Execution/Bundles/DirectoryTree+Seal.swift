#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension DirectoryTree {
    /// Makes everything below a directory durable, read-only and the daemon's own; deletes sockets, pipes and devices.
    ///
    /// - Throws: when an entry cannot be made so, or the tree is too deep.
    static func seal(_ path: String) throws(AgentRefusal) {
        let root = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard root >= 0 else { throw failure("opened", path) }
        defer { close(root) }
        var refusal: AgentRefusal?
        do throws(Interruption) {
            try visit(root) { entry throws(Interruption) in
                do throws(AgentRefusal) { try seal(entry) } catch {
                    refusal = error
                    throw .stopped
                }
            }
        } catch {
            throw refusal ?? AgentRefusal("the build made directories that are nested deeper than \(depthMax)")
        }
    }

    /// Lets everyone read everything below a directory.
    static func open(_ path: String) throws(AgentRefusal) {
        let root = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard root >= 0, fchmod(root, 0o755) == 0 else { throw failure("opened", path) }
        defer { close(root) }
        do throws(Interruption) {
            try visit(root) { entry throws(Interruption) in
                if entry.kind != .link { fchmodat(entry.directory, entry.name, entry.kind == .file ? 0o644 : 0o755, 0) }
            }
        } catch {
            throw AgentRefusal("the sources are nested deeper than \(depthMax)")
        }
    }

    private static func seal(_ entry: Entry) throws(AgentRefusal) {
        switch entry.kind {
        case .link:
            fchownat(entry.directory, entry.name, geteuid(), getegid(), AT_SYMLINK_NOFOLLOW)
        case .other:
            guard unlinkat(entry.directory, entry.name, 0) == 0 else { throw failure("deleted", entry.text) }
        case .file, .directory:
            let isExecutable = entry.kind == .directory || entry.status.st_mode & 0o100 != 0
            let descriptor = try entry.opened()
            defer { close(descriptor) }
            fchown(descriptor, geteuid(), getegid())
            guard fchmod(descriptor, isExecutable ? 0o555 : 0o444) == 0, fsync(descriptor) == 0 else {
                throw failure("sealed", entry.text)
            }
        }
    }

    fileprivate static func failure(_ verb: String, _ name: String) -> AgentRefusal {
        AgentRefusal("\(name) cannot be \(verb): \(String(cString: strerror(errno)))")
    }
}

extension DirectoryTree.Entry {
    fileprivate var text: String {
        String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The file or directory, also when its owner may not read it.
    fileprivate func opened() throws(AgentRefusal) -> Int32 {
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let first = openat(directory, name, flags)
        if first >= 0 { return first }
        let place = openat(directory, name, DirectoryTree.placeOnly | O_NOFOLLOW | O_CLOEXEC)
        guard place >= 0 else { throw DirectoryTree.failure("opened", text) }
        defer { close(place) }
        chmod("/proc/self/fd/\(place)", status.st_mode & 0o777 | 0o400)
        let second = openat(directory, name, flags)
        guard second >= 0 else { throw DirectoryTree.failure("opened", text) }
        return second
    }
}
