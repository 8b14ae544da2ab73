import Outbound
import Subprocess
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The making of a virtual environment: the packages of the index, installed with their own code running.
///
/// That code is foreign. It runs in a sandbox with a network of its own, whose only way out is the package proxy; it
/// sees nothing of Sluice, and writes to memory of a fixed size and to the environment, within its quota.
struct EnvironmentBuild: Sendable {
    private static let shownInStatus = 2000
    private static let proxySocket = "/run/sluice/packages.sock"
    private static let launcher = "/run/sluice/build.py"

    let staging: String
    let python: PythonInterpreter
    let packages: [String]
    let sandbox: Sandbox?
    let directory: RuntimeDirectory
    let settings: BuildSettings
    let groups: ControlGroupChoice
    /// Reaches the package indexes.
    let client: OutboundClient
    let timeout: Duration

    /// The message of a failed build: the end of what the installer said.
    static func failure(_ log: [UInt8]) -> AgentRefusal {
        let text = String(decoding: log.suffix(shownInStatus), as: UTF8.self)
        return AgentRefusal("the build failed; change requirements and deploy again. Its end:\n\(text)")
    }

    /// Makes `venv` in the staging directory. Never throws: the log says what went wrong.
    func run() async -> BuildCommand.Log {
        let quota = BuildQuota(path: environment, bytesMax: settings.bytesMax, filesMax: settings.filesMax)
        guard mkdir(environment, 0o700) == 0 else { return Self.log("the environment's directory cannot be made") }
        if sandbox?.identity == .dropped { chown(environment, SandboxCommand.nobody, SandboxCommand.nobody) }
        var log = await perform([python.executable, "-m", "venv", place], quota)
        guard log.isSuccess else { return log }
        let install = pip(["install", "--no-input", "--no-cache-dir", "--progress-bar", "off", "--"] + packages)
        let installed = sandbox == nil ? await perform(install, quota) : await performOnline(install, quota)
        log = BuildCommand.Log(
            isSuccess: installed.isSuccess, bytes: (log.bytes + installed.bytes).suffix(BuildCommand.logBytesMax))
        guard log.isSuccess, let excess = await quota.currentExcess() else { return log }
        return Self.log(excess.message, after: log.bytes)
    }

    /// Performs a step that reaches the hosts of the package indexes, and names the hosts that it was refused.
    private func performOnline(_ step: [String], _ quota: BuildQuota) async -> BuildCommand.Log {
        let listing = await perform(pip(["config", "list"]), quota)
        guard listing.isSuccess else { return listing }
        let known = InstallerSettings(listing: String(decoding: listing.bytes, as: UTF8.self))
        let proxy = PackageProxy(
            hosts: known.hosts.union(settings.hosts), upstream: PackageIndex.upstream(configured: known.proxy),
            client: client)
        let socket = directory.path + "/packages-" + (staging.split(separator: "/").last ?? "") + ".sock"
        do {
            let log = try await proxy.serve(at: directory.address(of: socket)) {
                await perform(step, quota, proxySocket: socket)
            }
            return proxy.noting(refusalsIn: log)
        } catch {
            return Self.log("the package proxy cannot be started: \(error)")
        }
    }

    private func perform(
        _ step: [String], _ quota: BuildQuota, proxySocket: String? = nil
    ) async -> BuildCommand.Log {
        let group = sandbox == nil ? nil : await groups.group(.forBuilds)
        let (program, arguments) = command(step, proxySocket, group)
        let log = await BuildCommand(
            executable: .path(FilePath(program)), arguments: arguments, environment: variables, timeout: timeout,
            quota: quota
        ).run()
        if let group { await groups.remove(group) }
        return log
    }

    private func command(
        _ step: [String], _ proxySocket: String?, _ group: ControlGroups.Group?
    ) -> (program: String, arguments: [String]) {
        guard let sandbox else { return (step[0], Array(step.dropFirst())) }
        let launch = [python.executable, "-I", Self.launcher, proxySocket == nil ? "-" : Self.proxySocket]
        var command = SandboxCommand(
            identity: sandbox.identity, host: sandbox.host.forBuilds(), command: launch + step)
        command.limits = .forBuilds
        command.environment.merge(PackageIndex.environment(through: BuildLauncher.proxyURL)) { mine, _ in mine }
        if proxySocket == nil { command.environment["PIP_PROXY"] = DaemonEnvironment.variables["PIP_PROXY"] }
        command.mounts = python.mounts + PackageIndex.mounts
        command.mounts.append(.init(source: directory.buildLauncher, target: Self.launcher))
        command.mounts.append(.init(source: environment, target: place, isWritable: true))
        if let proxySocket { command.mounts.append(.init(source: proxySocket, target: Self.proxySocket)) }
        return SandboxEntry.command(sandbox.program, command.arguments, in: group)
    }

    private func pip(_ arguments: [String]) -> [String] {
        [place + "/bin/python", "-m", "pip", "--disable-pip-version-check"] + arguments
    }

    private var environment: String { staging + "/venv" }

    /// The environment's path as its programs see it.
    private var place: String { sandbox == nil ? environment : "/bundle/venv" }

    private var variables: Environment {
        guard sandbox == nil else { return DaemonEnvironment.forChildren }
        return DaemonEnvironment.forChildren(
            with: ["HOME": staging].merging(PackageIndex.environment) { mine, _ in mine })
    }

    private static func log(_ text: String, after bytes: [UInt8] = []) -> BuildCommand.Log {
        BuildCommand.Log(isSuccess: false, bytes: bytes + Array((text + "\n").utf8))
    }
}

extension AgentRefusal {
    private static let guessesShownMax = 10

    /// The message of a failed build whose packages were, in part, guessed from imports.
    package func naming(guesses: [String]) -> AgentRefusal {
        guard !guesses.isEmpty else { return self }
        let shown = guesses.prefix(Self.guessesShownMax).joined(separator: ", ")
        return AgentRefusal(
            "the deploy names no requirements, so packages were guessed from the imports of \(shown); \(description)")
    }
}
