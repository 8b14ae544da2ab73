import Logging
import Outbound

/// Sources and environments of agents, each under the name of its content, immutable once there.
///
/// Two agents with the same requirements share an environment, and a redeploy of the same content builds nothing.
package actor BundleStore {
    /// What an instance runs.
    struct Bundle: Hashable, Sendable {
        let sources: String
        let environment: String
        let python: PythonInterpreter
    }

    typealias Outcome = Result<Bundle, AgentRefusal>

    private let configuration: AgentsConfiguration
    private let sandbox: SandboxChoice
    private let groups: ControlGroupChoice
    private let directory: RuntimeDirectory
    private let client: OutboundClient
    private let logger: Logger
    private let executor = BlockingExecutor(label: "sluice.bundles")
    private var building: [ContentKey: Promise<AgentRefusal?>] = [:]
    private var python: PythonInterpreter?
    private var stagingCount = 0
    /// The names of what this process has made.
    private var made: Set<String> = []

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(
        _ configuration: AgentsConfiguration, _ sandbox: SandboxChoice, _ groups: ControlGroupChoice,
        _ directory: RuntimeDirectory, _ client: OutboundClient, logger: Logger
    ) {
        self.client = client
        self.configuration = configuration
        self.sandbox = sandbox
        self.groups = groups
        self.directory = directory
        self.logger = logger
    }

    private var bundles: String { configuration.dataDirectory + "/bundles" }
    private var environments: String { configuration.dataDirectory + "/environments" }

    /// Makes the directories, and removes what interrupted builds and removals have left.
    func open() throws(AgentRefusal) {
        let outputs = configuration.dataDirectory + "/agents"
        for directory in [bundles, environments, outputs] {
            try BundleFiles.makeDirectory(directory)
            BundleFiles.removeRemainders(in: directory, requiresMarker: directory != outputs)
        }
    }

    /// Removes what none of these agents needs: the bundles and environments of deploys that are no more.
    ///
    /// Only before any instance runs: one that drains still needs what was deployed before.
    func collect(keeping definitions: [AgentDefinition]) async {
        guard let python = try? await interpreter() else { return }
        var kept = made
        for definition in definitions {
            let environment = ContentKey.environment(
                runtime: configuration.runtime, python: python.version, requirements: definition.requirements)
            let bundle = ContentKey.bundle(definition.sources, environment: environment)
            kept.formUnion([environment.description, "\(environment).failed", bundle.description])
        }
        var count = 0
        for directory in [bundles, environments] {
            for name in BundleFiles.names(in: directory)
            where !kept.contains(name) && !DirectoryTree.isRemainder(name) {
                DirectoryTree.remove(directory + "/" + name)
                count += 1
            }
        }
        if count > 0 { logger.info("what old deploys have left is removed", metadata: ["directories": "\(count)"]) }
    }

    /// The bundle, built now unless it is there. A build that failed stays failed until `retries`.
    ///
    /// - Parameter onBuild: called when there is something to build that takes its time.
    func bundle(
        _ definition: AgentDefinition, retries: Bool, onBuild: @Sendable () async -> Void = {}
    ) async throws(AgentRefusal) -> Bundle {
        let python = try await interpreter()
        let environmentKey = ContentKey.environment(
            runtime: configuration.runtime, python: python.version, requirements: definition.requirements)
        let bundleKey = ContentKey.bundle(definition.sources, environment: environmentKey)
        let environment = environments + "/\(environmentKey)"
        let bundle = bundles + "/\(bundleKey)"
        made.formUnion([environmentKey.description, "\(environmentKey).failed", bundleKey.description])
        if retries { DirectoryTree.remove(environment + ".failed") }
        if !BundleFiles.isComplete(environment) {
            await onBuild()
            do throws(AgentRefusal) {
                try await once(environmentKey) { () async throws(AgentRefusal) in
                    try await self.buildEnvironment(environment, definition.requirements, python)
                }
            } catch {
                throw error.naming(guesses: definition.guessedImports)
            }
        }
        if !BundleFiles.isComplete(bundle) { try writeSources(definition.sources, bundle) }
        return Bundle(sources: bundle + "/src", environment: environment + "/venv", python: python)
    }

    /// Whether the environment that the agent needs is built.
    func hasEnvironment(for definition: AgentDefinition) async throws(AgentRefusal) -> Bool {
        let key = ContentKey.environment(
            runtime: configuration.runtime, python: try await interpreter().version,
            requirements: definition.requirements)
        return BundleFiles.isComplete(environments + "/\(key)")
    }

    /// What the package installer said when the agent's environment was built: its end.
    package func buildLog(_ definition: AgentDefinition) async throws(AgentRefusal) -> String {
        let key = ContentKey.environment(
            runtime: configuration.runtime, python: try await interpreter().version,
            requirements: definition.requirements)
        let paths = [environments + "/\(key)/build.log", environments + "/\(key).failed/build.log"]
        let bytes = paths.lazy.compactMap { BundleFiles.tail(of: $0, bytesMax: BuildCommand.logBytesMax) }.first
        return String(decoding: bytes ?? [], as: UTF8.self)
    }

    func interpreter() async throws(AgentRefusal) -> PythonInterpreter {
        if let python { return python }
        let found = try await PythonInterpreter.find(configuration.python)
        python = found
        return found
    }

    /// Runs a build, or waits for the one that runs already; another takes over when that one is broken off.
    private func once(
        _ key: ContentKey, _ build: () async throws(AgentRefusal) -> Void
    ) async throws(AgentRefusal) {
        while let running = building[key] {
            let failure: AgentRefusal?? = await running.value()
            if Task.isCancelled { throw AgentRefusal("the build was broken off") }
            switch failure {
            case .some(.some(let failure)): throw failure
            case .some(.none): return
            case .none: continue
            }
        }
        let promise = Promise<AgentRefusal?>()
        building[key] = promise
        defer { building[key] = nil }
        do {
            try await build()
            promise.fulfill(nil)
        } catch {
            promise.fulfill(error)
            throw error
        }
    }

    private func buildEnvironment(
        _ path: String, _ requirements: [String], _ python: PythonInterpreter
    ) async throws(AgentRefusal) {
        if BundleFiles.isComplete(path) { return }
        if let log = BundleFiles.tail(of: path + ".failed/build.log", bytesMax: BuildCommand.logBytesMax) {
            throw EnvironmentBuild.failure(log)
        }
        let staging = newStaging(in: environments)
        try BundleFiles.makeDirectory(staging)
        let build = EnvironmentBuild(
            staging: staging, python: python, packages: [configuration.runtime] + requirements,
            sandbox: try await sandbox.current(), directory: directory, settings: configuration.builds,
            groups: groups, client: client, timeout: configuration.buildTimeout)
        logger.info("an agent's environment is being built", metadata: ["packages": "\(build.packages.count)"])
        var log = await build.run()
        if log.isSuccess {
            do throws(AgentRefusal) {
                try BundleFiles.write(log.bytes, to: staging + "/build.log")
                return try BundleFiles.install(staging, as: path)
            } catch {
                log = BuildCommand.Log(isSuccess: false, bytes: log.bytes + Array("\(error)\n".utf8))
            }
        }
        try keepFailure(log, staging, path + ".failed")
        throw EnvironmentBuild.failure(log.bytes)
    }

    /// Keeps the log of a failed build, and nothing else of it; a build that was interrupted leaves nothing.
    private func keepFailure(_ log: BuildCommand.Log, _ staging: String, _ failed: String) throws(AgentRefusal) {
        DirectoryTree.remove(failed)
        DirectoryTree.remove(staging)
        guard !Task.isCancelled else { return }
        let staging = newStaging(in: environments)
        try BundleFiles.makeDirectory(staging)
        try BundleFiles.write(log.bytes, to: staging + "/build.log")
        try BundleFiles.install(staging, as: failed)
    }

    private func writeSources(_ sources: [AgentDefinition.SourceFile], _ path: String) throws(AgentRefusal) {
        let staging = newStaging(in: bundles)
        try BundleFiles.makeDirectory(staging)
        try BundleFiles.makeDirectory(staging + "/src")
        try BundleFiles.write(sources, under: staging + "/src")
        try BundleFiles.install(staging, as: path)
    }

    /// A directory to make an image in, which the next start removes if nothing else does.
    func beginImage() throws(AgentRefusal) -> String {
        let staging = newStaging(in: bundles)
        try BundleFiles.makeDirectory(staging)
        return staging
    }

    func endImage(_ staging: String) { DirectoryTree.remove(staging) }

    private func newStaging(in directory: String) -> String {
        stagingCount += 1
        return directory + "/\(DirectoryTree.stagingPrefix)\(stagingCount)"
    }
}
