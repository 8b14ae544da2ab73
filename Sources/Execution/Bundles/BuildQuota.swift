#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The disk space and the files that one build may use.
///
/// The file system's free space is looked at many times a second, which costs nothing; the build's directory is counted
/// when enough of that space is gone, and now and then. All counting happens on an executor of its own.
actor BuildQuota {
    /// The limit that was exceeded.
    enum Excess: Hashable, Sendable {
        case bytes(Int)
        case files(Int)

        var message: String {
            switch self {
            case .bytes(let max): "the build wrote more than \(max) bytes (agent-build-bytes-max)"
            case .files(let max):
                "the build made more than \(max) files (agent-build-files-max), or directories nested too deep"
            }
        }
    }

    private static let pause = Duration.milliseconds(50)
    private static let countingInterval = Duration.seconds(2)
    /// Counting takes no more than this part of the time, as long as space is not going fast.
    private static let slowCountFactor = 10

    private let path: String
    private let bytesMax: Int
    private let filesMax: Int
    private let executor = BlockingExecutor(label: "sluice.build-quota")

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(path: String, bytesMax: Int, filesMax: Int) {
        self.path = path
        self.bytesMax = bytesMax
        self.filesMax = filesMax
    }

    /// Waits until the build exceeds its quota; `nil` when the task was cancelled before.
    func excess() async -> Excess? {
        var size = DirectoryTree.Size()
        var start = free
        var last = ContinuousClock.now
        var countingTime = Duration.zero
        while !Task.isCancelled {
            let now = free
            let isSpaceGone =
                start.bytes - now.bytes > (bytesMax - size.bytes) / 2
                || start.files - now.files > (filesMax - size.entries) / 2
            let age = ContinuousClock.now - last
            if age >= (isSpaceGone ? countingTime : max(Self.countingInterval, countingTime * Self.slowCountFactor)) {
                let began = ContinuousClock.now
                size = DirectoryTree.size(of: path, bytesMax: bytesMax, entriesMax: filesMax)
                if let excess = excess(size) { return excess }
                (start, last) = (now, .now)
                countingTime = last - began
            }
            do { try await Task.sleep(for: Self.pause) } catch { return nil }
        }
        return nil
    }

    /// Counts once.
    func currentExcess() -> Excess? {
        excess(DirectoryTree.size(of: path, bytesMax: bytesMax, entriesMax: filesMax))
    }

    private func excess(_ size: DirectoryTree.Size) -> Excess? {
        if size.entries > filesMax { return .files(filesMax) }
        return size.bytes > bytesMax ? .bytes(bytesMax) : nil
    }

    private var free: (bytes: Int, files: Int) {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return (0, 0) }
        return (Int(status.f_bavail) * Int(status.f_frsize), Int(status.f_favail))
    }
}
