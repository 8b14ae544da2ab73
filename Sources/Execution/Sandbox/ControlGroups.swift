#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A directory of the control group hierarchy (version 2) in which the daemon makes groups: one for each agent and build,
/// which limits all of its processes together. All calls block.
package struct ControlGroups: Hashable, Sendable {
    /// One group. It is removed when what ran in it has ended.
    package struct Group: Hashable, Sendable {
        package let path: String

        /// A process joins the group by writing its id there.
        var processesFile: String { path + "/cgroup.procs" }

        /// Ends every process that is left, and removes the group.
        package func remove() {
            ControlGroups.write("1", to: path + "/cgroup.kill")
            // A group is busy until the kernel has let go of its last process.
            for _ in 0..<ControlGroups.removalsMax where rmdir(path) != 0 && errno == EBUSY { poll(nil, 0, 10) }
        }
    }

    private static let hierarchy = "/sys/fs/cgroup"
    private static let prefix = "sluice-"
    private static let leaf = "sluice-daemon"
    private static let removalsMax = 100
    private static let fileBytesMax = 65_536

    /// The directory.
    package let path: String

    /// Finds the daemon's own group, and tries whether it may limit memory and processes of groups in it.
    ///
    /// A group that has processes cannot divide its resources: the daemon moves to a group below, and back when that does
    /// not help.
    ///
    /// - Throws: why there are no groups.
    package static func find(
        hierarchy: String = hierarchy, membership: String? = nil
    ) throws(AgentRefusal) -> ControlGroups {
        guard access(hierarchy + "/cgroup.controllers", R_OK) == 0 else {
            throw AgentRefusal("control groups of version 2 are not mounted at \(hierarchy)")
        }
        let lines = (membership ?? read("/proc/self/cgroup")).split(whereSeparator: \.isNewline)
        guard let own = lines.first(where: { $0.hasPrefix("0::/") })?.dropFirst(3) else {
            throw AgentRefusal("the daemon is in no control group of version 2")
        }
        let groups = ControlGroups(path: hierarchy + (own == "/" ? "" : String(own)))
        let controllers = read(groups.path + "/cgroup.controllers").split(whereSeparator: \.isWhitespace)
        guard controllers.contains("memory"), controllers.contains("pids") else {
            throw AgentRefusal("the controllers memory and pids are not delegated to \(own)")
        }
        try groups.divide()
        groups.removeLeftovers()
        return groups
    }

    /// Makes a group with these limits.
    package func make(_ name: String, memoryBytesMax: Int, processesMax: Int) throws(AgentRefusal) -> Group {
        let group = Group(path: path + "/" + Self.prefix + name)
        guard mkdir(group.path, 0o700) == 0 || errno == EEXIST else { throw Self.failure("make", group.path) }
        // Beyond its memory an agent is ended as a whole, and takes no swap instead.
        let settings = [
            ("memory.max", String(memoryBytesMax)), ("pids.max", String(processesMax)),
        ]
        for (name, value) in settings where !Self.write(value, to: group.path + "/" + name) {
            let failure = Self.failure("limit", group.path)
            rmdir(group.path)
            throw failure
        }
        Self.write("0", to: group.path + "/memory.swap.max")
        Self.write("1", to: group.path + "/memory.oom.group")
        return group
    }

    private func divide() throws(AgentRefusal) {
        let control = path + "/cgroup.subtree_control"
        if Self.write("+memory +pids", to: control) { return }
        guard errno == EBUSY else { throw Self.failure("divide", path) }
        let leaf = path + "/" + Self.leaf
        guard mkdir(leaf, 0o700) == 0 || errno == EEXIST, Self.write("\(getpid())", to: leaf + "/cgroup.procs") else {
            throw Self.failure("divide", path)
        }
        if Self.write("+memory +pids", to: control) { return }
        let failure = Self.failure("divide", path)
        Self.write("\(getpid())", to: path + "/cgroup.procs")
        rmdir(leaf)
        throw failure
    }

    /// Removes the groups of a daemon that was killed.
    private func removeLeftovers() {
        for name in BundleFiles.names(in: path) where name.hasPrefix(Self.prefix) && name != Self.leaf {
            Group(path: path + "/" + name).remove()
        }
    }

    @discardableResult
    private static func write(_ text: String, to path: String) -> Bool {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        return Glibc.write(descriptor, bytes, bytes.count) == bytes.count
    }

    private static func read(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: fileBytesMax)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    private static func failure(_ verb: String, _ path: String) -> AgentRefusal {
        AgentRefusal("the daemon may not \(verb) control group \(path): \(String(cString: strerror(errno)))")
    }
}
