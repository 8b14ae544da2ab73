import Domain
import Logging
import Subprocess
import Synchronization
import SystemPackage

/// A container engine that was tried on this machine and works.
struct ContainerEngine: Hashable, Sendable {
    private static let outputBytesMax = 1024 * 1024

    let program: String
    /// What stands before every command.
    let arguments: [String]

    /// The image of that name, pulled when it is not here.
    func image(_ name: String, onPull: @Sendable () async -> Void) async throws(AgentRefusal) -> AgentImage {
        guard !name.hasPrefix("-") else { throw AgentRefusal("\"\(name.prefix(80))\" is no name of an image") }
        if try await output(of: ["image", "exists", name]).isSuccess { return try await inspect(name) }
        await onPull()
        let pull = try await output(of: ["pull", "--quiet", name])
        guard pull.isSuccess else {
            throw AgentRefusal("the image \(name.prefix(200)) cannot be had: \(pull.error.suffix(1000))")
        }
        return try await inspect(name)
    }

    /// Removes a container that should be gone already.
    func remove(_ container: String) async {
        _ = try? await output(of: ["rm", "--force", "--time", "0", container])
    }

    /// The engine with these arguments, given what standard input is as another descriptor.
    func command(_ more: [String]) -> (Executable, [String]) {
        let hand = "exec \(ContainerCommand.socketDescriptor)<&0 </dev/null; exec \"$@\""
        return (.path("/bin/sh"), ["-c", hand, "sh", program] + arguments + more)
    }

    func output(of more: [String]) async throws(AgentRefusal) -> (isSuccess: Bool, output: String, error: String) {
        do {
            let result = try await run(
                program.contains("/") ? .path(FilePath(program)) : .name(program),
                arguments: Arguments(arguments + more), environment: DaemonEnvironment.forChildren,
                output: .string(limit: Self.outputBytesMax), error: .string(limit: Self.outputBytesMax))
            return (result.terminationStatus.isSuccess, result.standardOutput, result.standardError)
        } catch {
            throw AgentRefusal("\(program) cannot be started: \(error)")
        }
    }

    private func inspect(_ name: String) async throws(AgentRefusal) -> AgentImage {
        let answer = try await output(of: ["image", "inspect", name])
        guard answer.isSuccess, let document = try? JSONValue(parsing: Array(answer.output.utf8)),
            let image = AgentImage(inspected: document)
        else { throw AgentRefusal("the image \(name.prefix(200)) cannot be read: \(answer.error.suffix(1000))") }
        guard !image.command.isEmpty else {
            throw AgentRefusal("the image \(name.prefix(200)) has neither an entry point nor a command to run")
        }
        return image
    }
}

/// The answer to whether images are run here, found out once.
final class ContainerChoice: Sendable {
    private static let program = "podman"

    private let setting: String
    private let arguments: [String]
    private let logger: Logger
    private let probed = Mutex<Result<ContainerEngine, AgentRefusal>?>(nil)

    /// - Parameters:
    ///   - setting: `auto`, `none`, or the engine's name or path.
    init(_ setting: String, _ arguments: [String], logger: Logger) {
        self.setting = setting
        self.arguments = arguments
        self.logger = logger
    }

    func current() async throws(AgentRefusal) -> ContainerEngine {
        guard setting != "none" else { throw AgentRefusal("images are not run here: container-engine is none") }
        if let known = probed.withLock({ $0 }) { return try known.get() }
        let engine = ContainerEngine(program: setting == "auto" ? Self.program : setting, arguments: arguments)
        let found = await Self.probe(engine)
        probed.withLock { $0 = found }
        switch found {
        case .success: logger.info("images are run", metadata: ["engine": "\(engine.program)"])
        case .failure(let refusal): logger.notice("images are not run", metadata: ["reason": "\(refusal)"])
        }
        return try found.get()
    }

    /// Podman alone hands a container the socket that the agent is reached by.
    private static func probe(_ engine: ContainerEngine) async -> Result<ContainerEngine, AgentRefusal> {
        do throws(AgentRefusal) {
            let info = try await engine.output(of: ["info", "--format", "{{.Host.OCIRuntime.Name}}"])
            let help = try await engine.output(of: ["run", "--help"])
            guard info.isSuccess, help.output.contains("--preserve-fds") else {
                return .failure(
                    AgentRefusal(
                        "no podman works here (\(info.error.split(whereSeparator: \.isNewline).last ?? "it is another engine")): "
                            + "install it, or set container-engine and container-arguments"))
            }
            return .success(engine)
        } catch {
            return .failure(AgentRefusal("images are not run here: \(error.description); install podman"))
        }
    }
}
