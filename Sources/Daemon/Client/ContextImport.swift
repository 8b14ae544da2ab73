package import Domain
import HTTPAPI

/// Brings what an export of a workspace has (`GET /context/export`) into a running daemon, through its API.
///
/// What is there already as the export has it is left alone: a second import of the same export changes nothing.
package struct ContextImport: Sendable {
    /// What became of one resource, or would.
    package struct Outcome: Hashable, Sendable {
        package enum Action: String, Hashable, Sendable {
            case created, updated, unchanged, skipped, failed
        }

        package let action: Action
        package let kind: String
        package let name: String
        /// Why it was skipped, or failed.
        package let reason: String?
    }

    /// A secret that the exported daemon had and this one has not.
    package struct MissingSecret: Hashable, Sendable {
        package let name: String
        /// `tool/bank`, as `sluice secrets set --owner` takes it.
        package let owner: String
    }

    /// In the order in which one may name the other.
    private static let kinds: [(member: String, kind: String, path: String, part: String)] = [
        ("tools", "tool", "/tools", "spec"), ("model_providers", "model_provider", "/model-providers", "spec"),
        ("model_aliases", "model_alias", "/model-aliases", "spec"),
        ("policies", "policy", "/policies", "spec"),
        ("identity_providers", "identity_provider", "/identity-providers", "spec"),
        ("agents", "agent", "/deploy", "deploy"),
    ]
    private static let base = "/api/v1"
    /// An export has the sources of all agents.
    private static let exportBytesMax = 128 * 1024 * 1024

    private let client: APIClient
    private let resources: JSONValue
    private let isDryRun: Bool

    /// - Parameter isDryRun: only says what would be done.
    /// - Throws: `DaemonError.configuration` when the document is no export.
    package init(_ export: JSONValue, into client: APIClient, isDryRun: Bool) throws(DaemonError) {
        guard let resources = export["resources"], case .object = resources else {
            throw DaemonError(.configuration, "this is no export of a workspace: it has no \"resources\"")
        }
        for kind in Self.kinds {
            guard let items = resources[kind.member] else { continue }
            guard case .array(let items) = items, items.allSatisfy({ $0["name"]?.string != nil }) else {
                throw DaemonError(
                    .configuration, "resources.\(kind.member) must be an array of objects that have a name")
            }
        }
        self.resources = resources
        self.client = client.lenient
        self.isDryRun = isDryRun
    }

    /// The export of a running daemon.
    package static func export(_ client: APIClient) async throws -> JSONValue {
        try await client.request("GET", base + "/context/export", answerBytesMax: exportBytesMax)
    }

    /// Brings in one after another; one that is refused does not stop the others.
    ///
    /// - Parameter report: is told of each as it is done.
    /// - Returns: the secrets that have to be given again.
    /// - Throws: when the daemon cannot be reached or does not let this key in.
    package func run(_ report: (Outcome) -> Void) async throws -> [MissingSecret] {
        let current = try await Self.export(client)["resources"] ?? .null
        for kind in Self.kinds {
            let known = Self.named(current[kind.member])
            for item in resources[kind.member].elements {
                let name = item["name"]?.string ?? ""
                report(try await bring(name, item[kind.part], known[name], kind))
            }
        }
        try await bringSettings(current["settings"], report)
        for (member, what) in [("drafts", "deploy_draft"), ("approvals", "access_request")] {
            for item in resources[member].elements {
                let reason = "it belongs to the daemon that it was made in"
                report(Outcome(action: .skipped, kind: what, name: item["id"]?.string ?? "", reason: reason))
            }
        }
        return missingSecrets(isDryRun ? current : try await Self.export(client)["resources"] ?? .null)
    }

    private func bring(
        _ name: String, _ wanted: JSONValue?, _ current: JSONValue?,
        _ kind: (member: String, kind: String, path: String, part: String)
    ) async throws -> Outcome {
        func outcome(_ action: Outcome.Action, _ reason: String? = nil) -> Outcome {
            Outcome(action: action, kind: kind.kind, name: name, reason: reason)
        }
        guard let wanted else {
            return outcome(
                .skipped, "the export has no \"\(kind.part)\" of it: make it with an operator's or admin's key")
        }
        if current?[kind.part] == wanted { return outcome(.unchanged) }
        let body =
            kind.kind == "agent"
            ? Self.wholeDeploy(wanted)
            : .object([.init(name: "name", value: .string(name)), .init(name: "spec", value: wanted)])
        return try await perform(outcome(current == nil ? .created : .updated), "POST", kind.path, body)
    }

    /// The deploy with `null` for each member that would stay as it is: the agent becomes that of the export.
    private static func wholeDeploy(_ deploy: JSONValue) -> JSONValue {
        guard case .object(let members) = deploy else { return deploy }
        let cleared = AgentInheritance.members(stayingAfter: deploy)
        return .object(members + cleared.map { .init(name: $0, value: .null) })
    }

    private func bringSettings(_ current: JSONValue?, _ report: (Outcome) -> Void) async throws {
        guard let wanted = resources["settings"]?["auth"] else { return }
        guard current?["auth"] != wanted else {
            return report(Outcome(action: .unchanged, kind: "settings", name: "auth", reason: nil))
        }
        let action: Outcome.Action = current?["auth"] == nil ? .created : .updated
        let outcome = Outcome(action: action, kind: "settings", name: "auth", reason: nil)
        report(try await perform(outcome, "PUT", "/settings/auth", wanted))
    }

    private func perform(
        _ outcome: Outcome, _ method: String, _ path: String, _ body: JSONValue
    ) async throws -> Outcome {
        guard !isDryRun else { return outcome }
        do {
            _ = try await client.request(method, Self.base + path, body)
            return outcome
        } catch let error as DaemonError where error.code != .daemonUnreachable {
            return Outcome(action: .failed, kind: outcome.kind, name: outcome.name, reason: error.description)
        }
    }

    private func missingSecrets(_ current: JSONValue) -> [MissingSecret] {
        Self.kinds.flatMap { kind in
            let known = Self.named(current[kind.member])
            return resources[kind.member].elements.flatMap { item -> [MissingSecret] in
                let name = item["name"]?.string ?? ""
                let set = (known[name]?["secrets_set"]).strings
                return item["secrets_set"].strings.filter { !set.contains($0) }
                    .map { MissingSecret(name: $0, owner: "\(kind.kind)/\(name)") }
            }
        }
    }

    private static func named(_ value: JSONValue?) -> [String: JSONValue] {
        Dictionary(value.elements.map { ($0["name"]?.string ?? "", $0) }) { first, _ in first }
    }
}
