import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Projections

/// The versions of an agent: every deploy and every change of its configuration makes one.
extension APIHandlers {
    private static let versionsShownMax = 1000

    /// The newest versions, newest first.
    func listAgentVersions(_ request: APIRequest) async throws -> APIAnswer {
        let (name, missing) = try agentName(request)
        let agent = try await resource(.agent, name, request, notFound: missing)
        let limit = Int(try request.query("limit", in: 1...UInt64(Self.versionsShownMax)) ?? 100)
        let versions = try await projections.agentVersions(of: agent.id, limit: limit)
        return APIAnswer(.ok, JSONText(array: versions.map { $0.json(serving: agent.servingRevision) }))
    }

    /// Deploys an earlier version again. Its policies, budgets and identity provider are those of now, unless the body
    /// names others.
    func rollBackAgent(_ request: APIRequest) async throws -> APIAnswer {
        let (name, missing) = try agentName(request)
        let agent = try await resource(.agent, name, request, notFound: missing)
        let target = try await restoredVersion(of: agent, request)
        let inheritance = AgentInheritance(ofRollback: request.body)
        let document = try Self.restored(target.document.value, naming: request.body)
        try await checkIdentityProvider(request)
        var item = ResourcesToStore.Item(kind: .agent, name: name, document: document.text)
        item.inheritance = inheritance
        item.restoredRevision = target.revision
        let receipt = try await execute(ResourcesToStore([item], mustExist: true), request)
        return try await deployAnswer(
            name, receipt, restored: target.revision, reservations: try lostSecrets(of: document, name, request),
            request)
    }

    private func restoredVersion(of agent: ResourceRecord, _ request: APIRequest) async throws -> AgentVersionRecord {
        guard let revision = try request.body.integer("version", in: 1...Int.max).map(UInt64.init) else {
            let last = try await projections.agentVersionServed(before: agent.revision, of: agent.id)
            guard let last else {
                throw APIError.conflict(
                    "agent \(agent.name) has no earlier version that has served: name a version of "
                        + "GET /agents/\(agent.name)/versions")
            }
            return last
        }
        guard revision != agent.revision else {
            throw APIError.conflict("version \(revision) is the newest: name an earlier one")
        }
        guard let version = try await projections.agentVersion(revision, of: agent.id) else {
            throw APIError.notFound(
                "agent \(agent.name) has no version \(revision): its versions are 1 to \(agent.revision)")
        }
        return version
    }

    /// The earlier document with the governance that the body names.
    private static func restored(_ earlier: JSONValue, naming body: JSONValue) throws(APIError) -> JSONValue {
        var document = earlier
        _ = try body.texts("policies")
        _ = try body.text("identity_provider")
        try ModelConfigurations.check(
            .object([.init(name: "monthly_budget_usd", value: body["monthly_budget_usd"] ?? .null)]))
        for name in AgentInheritance.governance {
            guard let value = body[name] else { continue }
            document.set(name, value == .null ? nil : value)
        }
        return document
    }

    /// Secrets of the earlier environment that a later deploy has deleted.
    private func lostSecrets(
        of document: JSONValue, _ name: String, _ request: APIRequest
    ) throws -> [String] {
        let owner = ResourceKey(workspace: request.workspace, kind: .agent, name: name)
        let known = Set(try projections.secrets(of: owner).map(\.reference.name))
        return (document["spec"]?["env"]).elements.compactMap { variable in
            guard variable["secret"] == .bool(true), let secret = variable["name"]?.string, !known.contains(secret)
            else { return nil }
            return "secret \(secret) was deleted since that version: store it again with POST /secrets"
        }
    }
}

extension AgentVersionRecord {
    fileprivate func json(serving: UInt64?) -> JSONText {
        .object { json in
            json.add("version", revision)
            json.add("serving", revision == serving)
            json.add("phase", phase ?? "Pending")
            json.add("message", statusMessage)
            json.add("restored_version", restoredRevision)
            json.add("deployed_at", storedAt)
            json.add("served_at", servedAt)
        }
    }
}
