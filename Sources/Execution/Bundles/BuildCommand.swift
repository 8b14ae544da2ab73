import Subprocess

/// A program of a build: run to its end, the last of its words kept, and killed with all that it started when its time
/// is over or its task ends.
struct BuildCommand: Sendable {
    struct Log: Sendable {
        let isSuccess: Bool
        let bytes: [UInt8]
    }

    static let logBytesMax = 256 * 1024

    let executable: Executable
    let arguments: [String]
    let environment: Environment
    let timeout: Duration
    /// How long it may clean up after it was told to end; 0 kills it at once.
    var grace: Duration = .zero
    /// Ends the program when it writes too much; `nil` sets no limit.
    var quota: BuildQuota?

    /// Never throws: the log says what went wrong.
    func run() async -> Log {
        await withTaskGroup(of: Log?.self) { group in
            group.addTask { await execute() }
            group.addTask {
                do { try await Task.sleep(for: timeout) } catch { return nil }
                return Log(isSuccess: false, bytes: Array("the build took longer than \(timeout)\n".utf8))
            }
            if let quota {
                group.addTask {
                    guard let excess = await quota.excess() else { return nil }
                    return Log(isSuccess: false, bytes: Array((excess.message + "\n").utf8))
                }
            }
            defer { group.cancelAll() }
            return await group.next().flatMap { $0 } ?? Log(isSuccess: false, bytes: Array("broken off\n".utf8))
        }
    }

    private func execute() async -> Log {
        var options = PlatformOptions()
        options.createSession = true
        let kill = TeardownStep.send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))
        let ask = TeardownStep.send(signal: .terminate, toProcessGroup: false, allowedDurationToNextStep: grace)
        options.teardownSequence = grace > .zero ? [ask, kill] : [kill]
        do {
            let result = try await Subprocess.run(
                executable, arguments: Arguments(arguments), environment: environment, platformOptions: options,
                input: .none, output: .sequence, error: .combinedWithOutput
            ) { execution in
                var bytes: [UInt8] = []
                for try await buffer in execution.standardOutput {
                    buffer.withUnsafeBytes { bytes += $0 }
                    if bytes.count > 2 * Self.logBytesMax { bytes.removeFirst(bytes.count - Self.logBytesMax) }
                }
                return bytes
            }
            return Log(isSuccess: result.terminationStatus.isSuccess, bytes: result.closureResult)
        } catch {
            return Log(isSuccess: false, bytes: Array("the build could not be run: \(error)\n".utf8))
        }
    }
}
