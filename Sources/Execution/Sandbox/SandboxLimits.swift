/// What an agent may use of the machine.
package struct SandboxLimits: Hashable, Sendable {
    /// The address space of each process.
    package var memoryBytesMax = 4 * 1024 * 1024 * 1024
    /// Processes and threads together.
    package var processesMax = 256
    package var openFilesMax = 1024
    /// The private directories in memory together, and each file.
    package var scratchBytesMax = 256 * 1024 * 1024
    /// `/dev/shm`: a quarter of the scratch space.
    var sharedMemoryBytesMax: Int { scratchBytesMax / 4 }
    /// `/tmp`: the rest of the scratch space.
    var temporaryBytesMax: Int { scratchBytesMax - sharedMemoryBytesMax }
    /// The processor time of each process, in seconds.
    package var processorSecondsMax = 3600

    package init() {}

    /// A build has larger files, and compilers.
    static var forBuilds: SandboxLimits {
        var limits = SandboxLimits()
        limits.memoryBytesMax *= 2
        limits.processesMax *= 2
        limits.scratchBytesMax = 2 * 1024 * 1024 * 1024
        return limits
    }

    /// What `prlimit` takes.
    var arguments: [String] {
        [
            "--as=\(memoryBytesMax)", "--nproc=\(processesMax)", "--nofile=\(openFilesMax)",
            "--fsize=\(scratchBytesMax)", "--cpu=\(processorSecondsMax)", "--core=0",
        ]
    }
}
