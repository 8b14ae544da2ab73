/// What an operator may tune about agents that Sluice runs itself.
package struct AgentsConfiguration: Hashable, Sendable {
    /// Where bundles, environments, sockets and outputs are kept.
    package var dataDirectory = ""
    package var sandbox = SandboxMode.auto
    /// `auto`, `none`, or the name or path of a container engine.
    package var containerEngine = "auto"
    /// What stands before each of its commands.
    package var containerArguments: [String] = []
    package var images = ImageSettings()
    package var python = "python3"
    /// The package that holds the runtime, as the installer takes it.
    package var runtime = "runagents==1.4.2"
    package var limits = SandboxLimits()
    /// Processes of agents at the same time.
    package var instancesMax = 32
    /// Maximum connections of one instance to the gate; its launcher lets further ones wait.
    package var connectionsMax = 64
    /// How long an instance may go without a call.
    package var idleTimeout: Duration = .seconds(900)
    /// How long a new instance may take until it answers.
    package var startTimeout: Duration = .seconds(60)
    /// How long a replaced instance may take to finish its calls.
    package var drainTimeout: Duration = .seconds(300)
    /// How long an instance that is told to stop may take.
    package var stopTimeout: Duration = .seconds(5)
    package var buildTimeout: Duration = .seconds(900)
    package var builds = BuildSettings()
    package var restartBackoffMin: Duration = .seconds(1)
    package var restartBackoffMax: Duration = .seconds(60)
    /// Crashes in a row after which an instance is started only for a call.
    package var crashesMax: UInt32 = 5
    /// The size of a file of an agent's output; two are kept.
    package var outputBytesMax = 1024 * 1024

    package init() {}

    /// Fewer than the gate lets in: it counts a connection until it has seen its end, which the launcher sees first.
    var launcherConnectionsMax: Int { max(1, connectionsMax - connectionsMax / 4) }

    var lifecycle: AgentLifecycle.Limits {
        var limits = AgentLifecycle.Limits()
        limits.backoffMin = restartBackoffMin
        limits.backoffMax = restartBackoffMax
        limits.crashesMax = crashesMax
        return limits
    }
}
