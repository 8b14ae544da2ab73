package import Domain

/// What has to happen before an agent runs.
package enum AgentOutlook: Hashable, Sendable {
    /// It is called where it runs.
    case isElsewhere
    /// Its environment is there.
    case isBuilt
    /// Its packages have to be installed first.
    case isInstalled(requirements: Int)
    /// Its image has to be there, or be fetched.
    case isFetched
    /// It would not run here, and why.
    case fails(String)
}

extension AgentProcesses {
    /// What a deploy of that document would lead to, as far as it can be told without building anything.
    package func outlook(of document: JSONValue) async -> AgentOutlook {
        if document["invoke_url"]?.string != nil { return .isElsewhere }
        do throws(AgentRefusal) {
            let definition = try AgentDefinition(document: document)
            if definition.image != nil {
                _ = try await containers.current()
                return .isFetched
            }
            _ = try await sandbox.current()
            guard try await bundles.hasEnvironment(for: definition) else {
                return .isInstalled(requirements: definition.requirements.count)
            }
            return .isBuilt
        } catch {
            return .fails(error.description)
        }
    }
}
