import Logging
import Synchronization

/// A program that makes images, that was tried on this machine and works: podman, docker or buildah.
struct ImageBuilder: Hashable, Sendable {
    let engine: ContainerEngine
    /// Says itself that it takes `--layers`, which makes it keep and use what it has made before.
    let keepsLayers: Bool
    /// Whether it shows files of this machine to what it runs, which docker does not.
    let mountsVolumes: Bool

    static func probe(_ engine: ContainerEngine) async -> Result<ImageBuilder, AgentRefusal> {
        do throws(AgentRefusal) {
            let listed = try await engine.output(of: ["images", "--quiet"])
            guard listed.isSuccess else {
                let reason = listed.error.split(whereSeparator: \.isNewline).last ?? "it does not say why"
                return .failure(AgentRefusal("\(engine.program) makes no images here (\(reason))"))
            }
            let help = try await engine.output(of: ["build", "--help"]).output
            return .success(
                ImageBuilder(
                    engine: engine, keepsLayers: help.contains("--layers"), mountsVolumes: help.contains("--volume")))
        } catch {
            return .failure(error)
        }
    }
}

/// The answer to what makes images here, found out once.
final class ImageBuilderChoice: Sendable {
    private let settings: ImageSettings
    private let containers: ContainerChoice
    private let containerArguments: [String]
    private let logger: Logger
    private let probed = Mutex<Result<ImageBuilder, AgentRefusal>?>(nil)

    init(_ configuration: AgentsConfiguration, _ containers: ContainerChoice, logger: Logger) {
        settings = configuration.images
        self.containers = containers
        containerArguments = configuration.containerArguments
        self.logger = logger
    }

    func current() async -> Result<ImageBuilder, AgentRefusal> {
        if let known = probed.withLock({ $0 }) { return known }
        let found = await find()
        probed.withLock { $0 = found }
        switch found {
        case .success(let builder): logger.info("builds make images", metadata: ["by": "\(builder.engine.program)"])
        case .failure(let refusal): logger.notice("builds make no images", metadata: ["reason": "\(refusal)"])
        }
        return found
    }

    private func find() async -> Result<ImageBuilder, AgentRefusal> {
        let named = settings.builder
        guard named == ImageSettings.automatic else {
            let isNamed = try? await containers.current().program == named
            let arguments = settings.arguments.isEmpty && isNamed == true ? containerArguments : settings.arguments
            return await ImageBuilder.probe(ContainerEngine(program: named, arguments: arguments))
        }
        // What runs images comes first: it finds there what was made.
        if let engine = try? await containers.current(), case .success(let builder) = await ImageBuilder.probe(engine) {
            return .success(builder)
        }
        return await ImageBuilder.probe(ContainerEngine(program: "buildah", arguments: settings.arguments))
    }
}
