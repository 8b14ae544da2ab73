import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Projections

extension APIHandlers {
    /// The names of all secrets; values are never shown.
    func listSecrets(_ request: APIRequest) async throws -> APIAnswer {
        APIAnswer(.ok, JSONText(array: try await projections.secrets(in: request.workspace).map(\.json)))
    }

    /// Seals a value under a name of a resource that exists; the same name again replaces it.
    func storeSecret(_ request: APIRequest) async throws -> APIAnswer {
        let body = request.body
        let owner = ResourceKey(
            workspace: request.workspace, kind: try Self.ownerKind(try body.requiredText("owner_kind")),
            name: try body.requiredText("owner"))
        let secret = try NamedSecret(try body.requiredText("name"), try body.requiredText("value"))
        let receipt = try await execute(sealing: [(owner, [secret])], request) { stored in
            .storeSecrets(StoreSecrets(kind: owner.kind, owner: owner.name, secrets: stored[owner] ?? []))
        }
        guard let record = try projections.secrets(of: owner).first(where: { $0.reference.name == secret.name }) else {
            throw APIError.conflict("the secret was deleted at this moment; send it again")
        }
        return APIAnswer(.created, record.json, position: receipt.position)
    }

    /// Deletes a secret and its key.
    func deleteSecret(_ request: APIRequest) async throws -> APIAnswer {
        let delete = DeleteSecret(
            kind: try Self.ownerKind(try request.parameter("kind")), owner: try request.parameter("owner"),
            name: try request.parameter("name"))
        let receipt = try await execute(.deleteSecret(delete), request)
        return APIAnswer(.ok, .object { $0.add("status", "deleted") }, position: receipt.position)
    }

    /// The names of the secrets that each resource of a kind has.
    func secretNames(_ kind: ResourceKind, _ request: APIRequest) async throws -> [String: [String]] {
        let records = try await projections.secrets(ofKind: kind, in: request.workspace)
        return Dictionary(grouping: records, by: \.reference.owner.name).mapValues { $0.map(\.reference.name) }
    }

    private static func ownerKind(_ text: String) throws(APIError) -> ResourceKind {
        switch text {
        case ResourceKind.agent.singular: .agent
        case ResourceKind.tool.singular: .tool
        case ResourceKind.modelProvider.singular: .modelProvider
        case ResourceKind.identityProvider.singular: .identityProvider
        default:
            throw .badRequest("the owner's kind must be one of agent, tool, model_provider, identity_provider")
        }
    }
}

extension SecretRecord {
    fileprivate var json: JSONText {
        .object { json in
            json.add("name", reference.name)
            json.add("owner_kind", reference.owner.kind.singular)
            json.add("owner", reference.owner.name)
            json.add("created_at", createdAt)
            json.add("updated_at", updatedAt)
        }
    }
}
