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
        for text in settings.text(.buildHosts).split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
            guard let host = PackageHost(authority: text, port: 443) else {
                throw settings.invalid(.buildHosts, "hosts such as files.example.com,10.0.0.7:8080")
            }
            builds.hosts.insert(host)
        }
        builds.bytesMax = try settings.integer(.agentBuildBytesMax, in: 16_777_216...1_099_511_627_776)
        builds.filesMax = try settings.integer(.agentBuildFilesMax, in: 1000...100_000_000)
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
