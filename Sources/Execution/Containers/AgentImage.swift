package import Domain

/// What an image says of itself.
package struct AgentImage: Hashable, Sendable {
    package let id: String
    /// Its entry point and its arguments.
    package let command: [String]
    /// Empty when it says nothing.
    package let user: String

    package init(id: String, command: [String], user: String) {
        self.id = id
        self.command = command
        self.user = user
    }

    /// Reads what the engine's `image inspect` says; `nil` when that is something else.
    package init?(inspected: JSONValue) {
        guard case .array(let images) = inspected, let image = images.first, let id = image["Id"]?.string else {
            return nil
        }
        self.id = id
        let config = image["Config"]
        command = (config?["Entrypoint"]).strings + (config?["Cmd"]).strings
        user = config?["User"]?.string ?? ""
    }

    var isRoot: Bool {
        let name = user.prefix { $0 != ":" }
        return name.isEmpty || name == "root" || name.allSatisfy { $0 == "0" }
    }

    /// What to run: the published runtime the way that agents from source have it, anything else as it is.
    package var agentCommand: [String] {
        guard command.suffix(2) == ["-m", "runagents.runtime"] else { return command }
        return command.dropLast(2) + ["-c", RuntimeEntry.source(modules: AgentModules.mountPoint)]
    }
}
