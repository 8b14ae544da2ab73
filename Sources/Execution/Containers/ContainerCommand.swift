/// An agent's image as a container, as the arguments that make its world: no network, nothing writable but memory, and
/// the gate's socket. Pure.
package struct ContainerCommand: Sendable {
    /// Where the launcher is sent the socket that the agent is reached by.
    private static let offerSocket = "/run/sluice/offer.sock"

    package var name: String
    package var image: AgentImage
    package var limits: SandboxLimits
    package var launcher: String
    /// The directory of what an agent's interpreter imports of Sluice.
    package var modules: String
    package var gateSocket: String
    package var offerSocket: String
    /// Podman puts writable memory into a read-only container unless it is told not to; docker knows no such option.
    package var addsWritableMemory: Bool

    package init(
        name: String, image: AgentImage, limits: SandboxLimits, launcher: String, modules: String,
        gateSocket: String, offerSocket: String, addsWritableMemory: Bool
    ) {
        self.name = name
        self.image = image
        self.limits = limits
        self.launcher = launcher
        self.modules = modules
        self.gateSocket = gateSocket
        self.offerSocket = offerSocket
        self.addsWritableMemory = addsWritableMemory
    }

    /// What follows the engine's own arguments.
    package var arguments: [String] {
        [
            "run", "--rm", "--name", name, "--pull", "never", "--network", "none", "--hostname", "agent",
        ]
            + privileges + bounds
            + [
                "--env", "HOME=/tmp", "--mount", mount(launcher, at: "/run/sluice/launch.py") + ",readonly",
                "--mount", mount(modules, at: AgentModules.mountPoint) + ",readonly",
                "--mount", mount(gateSocket, at: "/run/sluice/gate.sock"),
                "--mount", mount(offerSocket, at: Self.offerSocket),
                "--entrypoint", "python3", image.id, "-I", "/run/sluice/launch.py", Self.offerSocket,
            ]
    }

    private func mount(_ source: String, at target: String) -> String {
        // One that is not there is an error, which it is not for `--volume`.
        "type=bind,source=\(source),target=\(target)"
    }

    private var privileges: [String] {
        // What the image says, unless that is root.
        let user = image.isRoot ? "\(SandboxCommand.nobody):\(SandboxCommand.nobody)" : image.user
        return [
            "--user", user, "--cap-drop", "all", "--security-opt", "no-new-privileges", "--read-only",
        ] + (addsWritableMemory ? ["--read-only-tmpfs=false"] : [])
    }

    private var bounds: [String] {
        let files = limits.openFilesMax
        return [
            "--tmpfs", "/tmp:rw,nosuid,nodev,mode=1777,size=\(limits.temporaryBytesMax)",
            "--shm-size", String(limits.sharedMemoryBytesMax),
            "--memory", String(limits.memoryBytesMax), "--pids-limit", String(limits.processesMax),
            "--oom-score-adj", "1000",
            "--ulimit", "nofile=\(files):\(files)", "--ulimit", "nproc=4096:4096", "--ulimit", "core=0:0",
            "--ulimit", "fsize=\(limits.scratchBytesMax):\(limits.scratchBytesMax)",
            "--ulimit", "cpu=\(limits.processorSecondsMax):\(limits.processorSecondsMax)",
        ]
    }
}
