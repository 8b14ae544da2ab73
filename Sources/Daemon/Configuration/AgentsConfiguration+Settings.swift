import Execution

extension AgentsConfiguration {
    init(_ settings: Settings) throws(DaemonError) {
        self.init()
        guard let mode = SandboxMode(rawValue: settings.text(.agentSandbox)) else {
            throw settings.invalid(.agentSandbox, "one of auto, required, none")
        }
        sandbox = mode
        containerEngine = settings.text(.containerEngine)
        containerArguments = settings.text(.containerArguments).split(separator: " ").map(String.init)
        images.builder = settings.text(.buildImages)
        images.base = settings.text(.buildImageBase)
        guard !images.base.isEmpty, !images.base.contains(where: \.isWhitespace) else {
            throw settings.invalid(.buildImageBase, "the name of an image")
        }
        images.arguments = settings.text(.buildImageArguments).split(separator: " ").map(String.init)
        images.options = settings.text(.buildImageOptions).split(separator: " ").map(String.init)
        python = settings.text(.agentPython)
        runtime = settings.text(.agentRuntime)
        instancesMax = try settings.integer(.agentInstancesMax, in: 1...10_000)
        connectionsMax = try settings.integer(.agentConnectionsMax, in: 4...100_000)
        idleTimeout = try settings.duration(.agentIdleTimeout)
        startTimeout = try settings.duration(.agentStartTimeout)
        drainTimeout = try settings.duration(.agentDrainTimeout)
        buildTimeout = try settings.duration(.agentBuildTimeout)
        limits.memoryBytesMax = try settings.integer(.agentMemoryBytesMax, in: 134_217_728...1_099_511_627_776)
        limits.scratchBytesMax = try settings.integer(.agentScratchBytesMax, in: 1_048_576...1_099_511_627_776)
        limits.processesMax = try settings.integer(.agentProcessesMax, in: 16...65_536)
        limits.openFilesMax = try settings.integer(.agentFilesMax, in: 64...65_536)
        limits.processorSecondsMax = max(1, Int(try settings.duration(.agentProcessorTimeMax).components.seconds))
    }
}
