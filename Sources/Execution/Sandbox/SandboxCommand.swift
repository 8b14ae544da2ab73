/// A command inside bubblewrap, as the arguments that make its world: nothing of the host is there but what is named.
///
/// Pure: what of the host's layout matters comes in as a value.
package struct SandboxCommand: Sendable {
    package struct Mount: Hashable, Sendable {
        let source: String
        let target: String
        let isWritable: Bool

        package init(source: String, target: String, isWritable: Bool = false) {
            self.source = source
            self.target = target
            self.isWritable = isWritable
        }
    }

    /// Who the sandbox's user is to the kernel.
    package enum Identity: Hashable, Sendable {
        /// The daemon's own user, mapped to nobody in a new user namespace.
        case mapped
        /// For a daemon that runs as root: nobody, for the kernel too. Limits on processes do not hold for root.
        case dropped
    }

    /// The user and group that an agent runs as.
    package static let nobody: UInt32 = 65_534

    package var identity: Identity
    package var host: HostLayout
    package var mounts: [Mount] = []
    /// What may be on the command line; secrets come another way, because anyone on the host can read that line.
    var environment = ["HOME": "/tmp", "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "TMPDIR": "/tmp", "USER": "agent"]
    package var limits = SandboxLimits()
    package var command: [String]

    package init(identity: Identity, host: HostLayout, command: [String]) {
        self.identity = identity
        self.host = host
        self.command = command
    }

    /// What follows `bwrap`.
    package var arguments: [String] {
        namespaces + privileges + fileSystem + ["--chdir", "/tmp", "--"] + dropping + limiting + command
    }

    private var namespaces: [String] {
        ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
            + ["--hostname", "agent", "--die-with-parent", "--new-session", "--clearenv"]
            + environment.sorted { $0.key < $1.key }.flatMap { ["--setenv", $0.key, $0.value] }
    }

    private var privileges: [String] {
        let nobody = String(Self.nobody)
        switch identity {
        case .mapped: return ["--unshare-user", "--uid", nobody, "--gid", nobody, "--cap-drop", "ALL"]
        case .dropped:
            // Just enough to become somebody else; both are gone once that is done.
            return ["--cap-drop", "ALL"]
                + ["CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"].flatMap { ["--cap-add", $0] }
        }
    }

    /// A daemon without privileges cannot take from the agent what `/proc` lets it change of itself; `unshare` writes there.
    private var fileSystem: [String] {
        func scratch(_ path: String, _ bytes: Int) -> [String] {
            ["--perms", "1777", "--size", String(bytes), "--tmpfs", path]
        }
        return parents + host.systemArguments + ["--proc", "/proc", "--dev", "/dev"]
            + scratch("/dev/shm", limits.sharedMemoryBytesMax) + scratch("/tmp", limits.temporaryBytesMax)
            + mounts.flatMap { [$0.isWritable ? "--bind" : "--ro-bind", $0.source, $0.target] }
            + (identity == .mapped ? ["--remount-ro", "/proc"] : []) + ["--remount-ro", "/dev", "--remount-ro", "/"]
    }

    /// Bubblewrap makes the directories above a mount for their owner alone, who is not the agent.
    private var parents: [String] {
        let targets = mounts.map(\.target) + host.configuration
        var directories: Set<String> = []
        for target in targets {
            var path = ""
            for part in target.split(separator: "/").dropLast() {
                path += "/" + part
                directories.insert(path)
            }
        }
        let scratch: Set = ["/tmp", "/dev", "/dev/shm", "/proc", "/usr"]
        return directories.subtracting(scratch).sorted().flatMap { ["--perms", "0755", "--dir", $0] }
    }

    /// From the daemon's user to nobody, and into a user namespace where nobody is all there is.
    private var dropping: [String] {
        let nobody = String(Self.nobody)
        switch identity {
        case .mapped: return []
        case .dropped:
            return [
                "/usr/bin/setpriv", "--reuid", nobody, "--regid", nobody, "--clear-groups", "--bounding-set=-all",
                "--inh-caps=-all", "--", "/usr/bin/unshare", "--user", "--map-current-user", "--",
            ]
        }
    }

    private var limiting: [String] { ["/usr/bin/prlimit"] + limits.arguments + ["--", "/usr/bin/nice", "-n", "5"] }
}
