/// An agent's image as a container, as the arguments that make its world: no network, nothing writable but memory, and
/// the gate's socket. Pure.
package struct ContainerCommand: Sendable {
    /// Where the launcher finds the listening socket that it inherits: standard input stays with the engine.
    package static let socketDescriptor = 3

    package var name: String
    package var image: AgentImage
    package var limits: SandboxLimits
    package var launcher: String
    package var gateSocket: String

    package init(name: String, image: AgentImage, limits: SandboxLimits, launcher: String, gateSocket: String) {
        self.name = name
        self.image = image
        self.limits = limits
        self.launcher = launcher
        self.gateSocket = gateSocket
    }

    /// What follows the engine's own arguments.
    package var arguments: [String] {
        [
            "run", "--rm", "--name", name, "--pull", "never", "--preserve-fds", "1", "--network", "none", "--hostname",
            "agent",
        ]
            + privileges + bounds
            + [
                "--env", "HOME=/tmp", "--volume", "\(launcher):/run/sluice/launch.py:ro",
                "--volume", "\(gateSocket):/run/sluice/gate.sock", "--entrypoint", "python3", image.id, "-I",
                "/run/sluice/launch.py", String(Self.socketDescriptor),
            ]
    }

    private var privileges: [String] {
        // What the image says, unless that is root.
        let user = image.isRoot ? "\(SandboxCommand.nobody):\(SandboxCommand.nobody)" : image.user
        return [
            "--user", user, "--cap-drop", "all", "--security-opt", "no-new-privileges", "--read-only",
            "--read-only-tmpfs=false",
        ]
    }

    private var bounds: [String] {
        let files = limits.openFilesMax
        return [
            "--tmpfs", "/tmp:rw,nosuid,nodev,mode=1777,size=\(limits.scratchBytesMax)",
            "--memory", String(limits.memoryBytesMax), "--pids-limit", String(limits.processesMax),
            "--ulimit", "nofile=\(files):\(files)", "--ulimit", "nproc=4096:4096", "--ulimit", "core=0:0",
            "--ulimit", "fsize=\(limits.scratchBytesMax):\(limits.scratchBytesMax)",
            "--ulimit", "cpu=\(limits.processorSecondsMax):\(limits.processorSecondsMax)",
        ]
    }
}
