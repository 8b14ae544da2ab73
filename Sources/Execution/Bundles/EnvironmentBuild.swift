#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import Subprocess
import SystemPackage

/// The making of a virtual environment: the packages of the index, installed with their own code running, so in a
/// sandbox too. It sees the network, to reach the index, and nothing of Sluice.
struct EnvironmentBuild: Sendable {
    private static let shownInStatus = 2000

    let staging: String
    let python: PythonInterpreter
    let packages: [String]
    let sandbox: Sandbox?
    let timeout: Duration

    /// The message of a failed build: the end of what the installer said.
    static func failure(_ log: [UInt8]) -> AgentRefusal {
        let text = String(decoding: log.suffix(shownInStatus), as: UTF8.self)
        return AgentRefusal("the build failed; change requirements and deploy again. Its end:\n\(text)")
    }

    /// Makes `venv` in the staging directory. Never throws: the log says what went wrong.
    func run() async -> BuildCommand.Log {
        let root = sandbox == nil ? staging : "/bundle"
        if sandbox?.identity == .dropped { chown(staging, SandboxCommand.nobody, SandboxCommand.nobody) }
        let steps = [
            [python.executable, "-m", "venv", root + "/venv"],
            [
                root + "/venv/bin/python", "-m", "pip", "install", "--no-input", "--no-cache-dir",
                "--disable-pip-version-check", "--progress-bar", "off", "--",
            ] + packages,
        ]
        var bytes: [UInt8] = []
        for step in steps {
            let log = await perform(step)
            bytes = (bytes + log.bytes).suffix(BuildCommand.logBytesMax)
            guard log.isSuccess else { return BuildCommand.Log(isSuccess: false, bytes: bytes) }
        }
        return BuildCommand.Log(isSuccess: true, bytes: bytes)
    }

    private func perform(_ step: [String]) async -> BuildCommand.Log {
        let (executable, arguments) = command(step)
        return await BuildCommand(
            executable: executable, arguments: arguments, environment: environment, timeout: timeout
        ).run()
    }

    private func command(_ step: [String]) -> (Executable, [String]) {
        guard let sandbox else { return (.path(FilePath(step[0])), Array(step.dropFirst())) }
        var command = SandboxCommand(identity: sandbox.identity, host: sandbox.host.forBuilds(), command: step)
        command.sharesNetwork = true
        command.limits = .forBuilds
        command.environment.merge(PackageIndex.environment) { mine, _ in mine }
        command.mounts = python.mounts + PackageIndex.mounts
        command.mounts.append(.init(source: staging, target: "/bundle", isWritable: true))
        return (.name(sandbox.program), command.arguments)
    }

    private var environment: Environment {
        guard sandbox == nil else { return DaemonEnvironment.forChildren }
        return DaemonEnvironment.forChildren(
            with: ["HOME": staging].merging(PackageIndex.environment) { mine, _ in mine })
    }
}
