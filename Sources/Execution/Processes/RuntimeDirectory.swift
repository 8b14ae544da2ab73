#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where the sockets of this run of the daemon are: made anew at each start, for its owner alone.
package final class RuntimeDirectory: Sendable {
    /// The longest path that SwiftNIO takes for a socket's address.
    private static let socketPathBytesMax = 103

    package let path: String
    private let descriptor: Int32

    /// Makes the directory, and removes what an earlier process has left in it.
    package init(_ path: String) throws(AgentRefusal) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw Self.failure(path) }
        for name in BundleFiles.names(in: path) { unlink(path + "/" + name) }
        DirectoryTree.remove(path + "/modules")
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure(path) }
        self.path = path
        try BundleFiles.write(Array(Launcher.source.utf8), to: launcher, mode: 0o644)
        try AgentModules.write(to: agentModules)
        try BundleFiles.write(Array(BuildLauncher.source.utf8), to: buildLauncher, mode: 0o644)
    }

    deinit { close(descriptor) }

    var launcher: String { path + "/launch.py" }
    /// The modules of Sluice that an agent's interpreter imports.
    var agentModules: String { path + "/modules" }
    var buildLauncher: String { path + "/build.py" }
    var gateSocket: String { Self.gateSocket(in: path) }

    /// The socket on which the agents of a runtime directory reach Sluice.
    package static func gateSocket(in path: String) -> String { path + "/gate.sock" }

    /// The same file by a path that is short enough for a socket's address in this process.
    package func address(of socket: String) -> String {
        let isShort = socket.utf8.count <= Self.socketPathBytesMax
        return isShort ? socket : "/proc/self/fd/\(descriptor)" + socket.dropFirst(path.count)
    }

    private static func failure(_ path: String) -> AgentRefusal {
        AgentRefusal("the directory \(path) cannot be used: \(String(cString: strerror(errno)))")
    }
}
