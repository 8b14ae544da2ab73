import Logging
import Subprocess
import Synchronization

/// A sandbox that was tried on this machine and works.
struct Sandbox: Hashable, Sendable {
    let program: String
    let identity: SandboxCommand.Identity
    let host: HostLayout
}

/// Whether agents run in a sandbox.
package enum SandboxMode: String, Hashable, Sendable, CaseIterable {
    /// In bubblewrap where it works, otherwise not at all.
    case auto
    /// As `auto`, and the daemon does not start where bubblewrap does not work.
    case required
    /// With the daemon's own rights.
    case none
}

/// The answer to whether and how agents are sandboxed here, found out once.
final class SandboxChoice: Sendable {
    private static let program = "bwrap"

    private let mode: SandboxMode
    private let logger: Logger
    private let probed = Mutex<Result<Sandbox, AgentRefusal>?>(nil)

    init(_ mode: SandboxMode, logger: Logger) {
        self.mode = mode
        self.logger = logger
    }

    /// The sandbox; `nil` when agents are to run without one.
    func current() async throws(AgentRefusal) -> Sandbox? {
        if mode == .none { return nil }
        if let known = probed.withLock({ $0 }) { return try known.get() }
        let found = await Self.probe()
        probed.withLock { $0 = found }
        switch found {
        case .success(let sandbox): logger.info("agents run in bubblewrap", metadata: ["as": "\(sandbox.identity)"])
        case .failure(let refusal): logger.warning("no sandbox works here", metadata: ["error": "\(refusal)"])
        }
        return try found.get()
    }

    /// Really runs a program in a sandbox as an agent's would be.
    private static func probe() async -> Result<Sandbox, AgentRefusal> {
        let identity: SandboxCommand.Identity = DaemonEnvironment.isRoot ? .dropped : .mapped
        let sandbox = Sandbox(program: program, identity: identity, host: .current())
        let command = SandboxCommand(identity: identity, host: sandbox.host, command: ["/usr/bin/true"])
        do {
            let result = try await run(
                .name(program), arguments: Arguments(command.arguments), environment: DaemonEnvironment.forChildren,
                output: .discarded, error: .string(limit: 4096))
            if result.terminationStatus.isSuccess { return .success(sandbox) }
            return .failure(refusal(result.standardError.split(whereSeparator: \.isNewline).first ?? "it fails"))
        } catch {
            return .failure(refusal("bwrap cannot be started"))
        }
    }

    private static func refusal(_ reason: some StringProtocol) -> AgentRefusal {
        AgentRefusal(
            "agents with source_files are not run, because bubblewrap does not work here (\(reason)): without it an agent "
                + "has the daemon's own rights to files, network and processes. Install bubblewrap, or set "
                + "agent-sandbox=none to run agents without a sandbox")
    }
}
