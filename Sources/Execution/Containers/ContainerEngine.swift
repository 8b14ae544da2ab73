import Domain
import Logging
import Subprocess
import Synchronization
import SystemPackage

/// A container engine that was tried on this machine and works.
struct ContainerEngine: Hashable, Sendable {
    private static let outputBytesMax = 1024 * 1024

    typealias Output = (isSuccess: Bool, output: String, error: String)

    let program: String
    /// What stands before every command.
    let arguments: [String]
    /// As podman does, and docker does not.
    var addsWritableMemory = false

    /// The image of that name, pulled when it is not here.
    func image(_ name: String, onPull: @Sendable () async -> Void) async throws(AgentRefusal) -> AgentImage {
        guard !name.hasPrefix("-") else { throw AgentRefusal("\"\(name.prefix(80))\" is no name of an image") }
        let known = try await output(of: ["image", "inspect", name])
        if known.isSuccess { return try read(known, name) }
        await onPull()
        let pull = try await output(of: ["pull", "--quiet", name])
        guard pull.isSuccess else {
            throw AgentRefusal("the image \(name.prefix(200)) cannot be had: \(pull.error.suffix(1000))")
        }
        return try read(try await output(of: ["image", "inspect", name]), name)
    }

    /// Removes a container that should be gone already.
    func remove(_ container: String) async {
        _ = try? await output(of: ["rm", "--force", container])
    }

    var executable: Executable { program.contains("/") ? .path(FilePath(program)) : .name(program) }

    func output(of more: [String]) async throws(AgentRefusal) -> Output {
        do {
            let result = try await run(
                executable, arguments: Arguments(arguments + more), environment: DaemonEnvironment.forChildren,
                output: .string(limit: Self.outputBytesMax), error: .string(limit: Self.outputBytesMax))
            return (result.terminationStatus.isSuccess, result.standardOutput, result.standardError)
        } catch {
            throw AgentRefusal("\(program) cannot be started: \(error)")
        }
    }

    private func read(_ answer: Output, _ name: String) throws(AgentRefusal) -> AgentImage {
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
    private static let programs = ["podman", "docker"]

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
        let names = setting == "auto" ? Self.programs : [setting]
        var found = await Self.probe(ContainerEngine(program: names[0], arguments: arguments))
        for name in names.dropFirst() {
            guard case .failure(let refusal) = found else { break }
            found = await Self.probe(ContainerEngine(program: name, arguments: arguments))
                .mapError { AgentRefusal("\(refusal.description); \($0.description)") }
        }
        probed.withLock { $0 = found }
        switch found {
        case .success(let engine): logger.info("images are run", metadata: ["engine": "\(engine.program)"])
        case .failure(let refusal): logger.notice("images are not run", metadata: ["reason": "\(refusal)"])
        }
        return try found.get()
    }

    private static func probe(_ engine: ContainerEngine) async -> Result<ContainerEngine, AgentRefusal> {
        do throws(AgentRefusal) {
            let listed = try await engine.output(of: ["ps", "--quiet"])
            guard listed.isSuccess else {
                let reason = listed.error.split(whereSeparator: \.isNewline).last ?? "it does not say why"
                return .failure(AgentRefusal("\(engine.program) does not work here (\(reason))"))
            }
            var engine = engine
            engine.addsWritableMemory = try await engine.output(of: ["run", "--help"]).output
                .contains("--read-only-tmpfs")
            return .success(engine)
        } catch {
            return .failure(error)
        }
    }
}
