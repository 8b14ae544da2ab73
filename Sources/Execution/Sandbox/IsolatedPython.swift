import Subprocess
import SystemPackage

/// Runs small Python programs of Sluice's own over what clients send: in the sandbox that agents have where there is
/// one, without site packages, environment, network or files, and for a short time.
///
/// Not for code of anybody else: the program may read what it is given, and must not run it.
package struct IsolatedPython: Sendable {
    /// What a program may use, and give back.
    package struct Limits: Hashable, Sendable {
        package var memoryBytesMax = 1024 * 1024 * 1024
        package var processorSecondsMax = 30
        package var time: Duration = .seconds(30)
        package var outputBytesMax = 4 * 1024 * 1024

        package init() {}
    }

    /// Why there is no result.
    package enum Failure: Error, Hashable, Sendable {
        /// There is no Python to run it.
        case unavailable(String)
        case tookTooLong
        /// It ended with an error, or was ended by a signal or a limit.
        case stopped(String)
    }

    private static let shownBytesMax = 400
    private static let loader = """
        import sys
        exec(compile(sys.stdin.buffer.read(int(sys.stdin.buffer.readline())), "<sluice>", "exec"))
        """

    private let bundles: BundleStore
    private let sandbox: SandboxChoice
    private let limits: Limits

    init(_ bundles: BundleStore, _ sandbox: SandboxChoice, limits: Limits = Limits()) {
        self.bundles = bundles
        self.sandbox = sandbox
        self.limits = limits
    }

    /// - Parameters:
    ///   - program: Python text.
    ///   - input: what the program reads from its standard input, `sys.stdin.buffer`.
    /// - Returns: what it has written.
    package func run(_ program: String, input: [UInt8]) async throws(Failure) -> [UInt8] {
        let python: PythonInterpreter
        do { python = try await bundles.interpreter() } catch { throw .unavailable(error.description) }
        // Where no sandbox works, its own limits have to do: nothing of the input is run.
        let sandbox = try? await sandbox.current()
        let result = await withTaskGroup(of: Result<[UInt8], Failure>?.self) { group in
            group.addTask { await execute(Self.framed(program) + input, python, sandbox) }
            group.addTask {
                do { try await Task.sleep(for: limits.time) } catch { return nil }
                return .failure(.tookTooLong)
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        guard let result else { throw .stopped("it was broken off") }
        return try result.get()
    }

    /// A program may be longer than an argument can be: it comes first on the standard input.
    private static func framed(_ program: String) -> [UInt8] {
        Array("\(program.utf8.count)\n".utf8) + Array(program.utf8)
    }

    private func execute(
        _ input: [UInt8], _ python: PythonInterpreter, _ sandbox: Sandbox?
    ) async -> Result<[UInt8], Failure> {
        let command = [python.executable, "-I", "-S", "-B", "-c", Self.loader]
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [.send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))]
        let executable: Executable
        let arguments: [String]
        if let sandbox {
            executable = .name(sandbox.program)
            arguments = sandboxed(command, python, sandbox)
        } else {
            executable = .path(FilePath(command[0]))
            arguments = Array(command.dropFirst())
        }
        do {
            let ended = try await Subprocess.run(
                executable, arguments: Arguments(arguments),
                environment: sandbox == nil ? .custom(["LANG": "C.UTF-8"]) : DaemonEnvironment.forChildren,
                workingDirectory: FilePath("/"), platformOptions: options, input: .array(input),
                output: .bytes(limit: limits.outputBytesMax), error: .string(limit: 65_536))
            if ended.terminationStatus.isSuccess { return .success(ended.standardOutput) }
            // The name of an error, and no more: what follows may be of the input.
            let last = ended.standardError.split(whereSeparator: \.isNewline).last ?? ""
            let name = last.prefix { $0 != ":" }.prefix(Self.shownBytesMax)
            return .failure(.stopped("\(ended.terminationStatus)" + (name.isEmpty ? "" : ", \(name)")))
        } catch {
            return .failure(.stopped("it could not be run, or wrote too much"))
        }
    }

    private func sandboxed(_ command: [String], _ python: PythonInterpreter, _ sandbox: Sandbox) -> [String] {
        var world = SandboxCommand(
            identity: sandbox.identity, host: sandbox.host.running(python), command: command)
        world.limits.memoryBytesMax = limits.memoryBytesMax
        world.limits.processorSecondsMax = limits.processorSecondsMax
        world.limits.scratchBytesMax = 1024 * 1024
        world.mounts = python.mounts
        return world.arguments
    }
}
