/// What an instance runs, and in what.
enum AgentProgram: Hashable, Sendable {
    /// A bundle with the daemon's own rights.
    case bare(BundleStore.Bundle)
    case sandboxed(Sandbox, BundleStore.Bundle)
    case container(ContainerEngine, AgentImage)

    /// Whether the agent has network and processes of its own.
    var isSandboxed: Bool { if case .bare = self { false } else { true } }

    /// Where the agent finds its sources and its packages; `nil` leaves that to its image.
    var places: (sources: String, environment: String)? {
        switch self {
        case .bare(let bundle): (bundle.sources, bundle.environment)
        case .sandboxed: ("/bundle/src", "/bundle/venv")
        case .container: nil
        }
    }

    /// - Parameter modules: the directory of `AgentModules` on this machine.
    func command(modules: String) -> [String] {
        switch self {
        case .bare(let bundle): [bundle.environment + "/bin/python", "-c", RuntimeEntry.source(modules: modules)]
        case .sandboxed: ["/bundle/venv/bin/python", "-c", RuntimeEntry.source(modules: AgentModules.mountPoint)]
        case .container(_, let image): image.agentCommand
        }
    }
}
