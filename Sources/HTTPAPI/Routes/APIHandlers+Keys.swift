import Authentication
import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Projections

extension APIHandlers {
    private static let graceMax = Duration.seconds(30 * 86_400)
    static let shownOnce = "shown once, with the first answer"

    /// Makes a key. Its text is in this answer and nowhere else.
    func createAPIKey(_ request: APIRequest) async throws -> APIAnswer {
        let body = request.body
        let name = try body.requiredText("name")
        let roleName = try body.text("role") ?? Role.operator.rawValue
        guard let role = Role(rawValue: roleName) else {
            let known = Role.allCases.map(\.rawValue).joined(separator: ", ")
            throw APIError.badRequest("role must be one of \(known)")
        }
        let days = try body.integer("expiresInDays", in: 1...3650)
        let groups = Set(try body.texts("groups") ?? []).sorted()
        let agent = try Self.agent(of: body, role)
        let secret = APIKeySecret.generate()
        let created = APIKeyCreated(
            name: name, role: role, digest: secret.digest, prefix: secret.visiblePrefix, last4: secret.last4,
            expiresAt: days.map { commands.clock.now().adding(.seconds($0 * 86_400)) },
            groups: groups, agent: agent, onlyGroups: try body.bool("only_groups") ?? false)
        let id: APIKeyID = commands.newID()
        let scope = try scoped(request, to: try body.text("workspace"))
        let receipt = try await submit(.createAPIKey(id: id, created), scope)
        try await projections.reach(receipt.position)
        let keyID = receipt.events.first.map { APIKeyID($0.event.stream.id) } ?? id
        return try await answer(.created, keyID, secret, receipt, in: scope.workspace)
    }

    /// The agent that a new key is for. A key that may speak for every agent is made only where the body says so.
    private static func agent(of body: JSONValue, _ role: Role) throws(APIError) -> String? {
        let agent = try body.text("agent")
        let isForAny = try body.bool("any_agent") ?? false
        guard !isForAny || agent == nil && role == .agent else {
            throw .badRequest("any_agent is for a key of role agent without agent only")
        }
        guard role != .agent || agent != nil || isForAny else {
            throw .badRequest(
                "a key of role agent needs agent, the name of the agent that it is for; "
                    + "\"any_agent\": true makes one that may speak for every agent of the workspace")
        }
        return agent
    }

    /// Gives a key another text, which is in this answer and nowhere else. The one before ends at once, or after `grace`.
    func rotateAPIKey(_ request: APIRequest) async throws -> APIAnswer {
        let id: APIKeyID = try request.identifier("id") { "api key \($0) not found" }
        let days = try request.body.integer("expiresInDays", in: 1...3650)
        let grace = try request.body.duration("grace") ?? .zero
        guard grace <= Self.graceMax else { throw APIError.badRequest("grace must be 30d at most") }
        let secret = APIKeySecret.generate()
        let rotate = RotateAPIKey(
            digest: secret.digest, prefix: secret.visiblePrefix, last4: secret.last4,
            lifetime: days.map { .seconds($0 * 86_400) }, grace: grace)
        let receipt = try await execute(.rotateAPIKey(id: id, rotate), request)
        return try await answer(.ok, id, secret, receipt, in: request.workspace)
    }

    /// The key, and its text the first time.
    private func answer(
        _ status: HTTPResponse.Status, _ id: APIKeyID, _ secret: APIKeySecret, _ receipt: Receipt,
        in workspace: WorkspaceName
    ) async throws -> APIAnswer {
        guard let record = try await projections.apiKeys(in: workspace).first(where: { $0.id == id }) else {
            throw APIError.notFound("api key \(id) not found")
        }
        func json(token: String) -> JSONText {
            .object { json in
                json.add("key", record.json(lastUse: dependencies.keyUses.last(of: id)))
                json.add("token", token)
                json.add("header", APIKeySecret.header)
            }
        }
        var answer = APIAnswer(
            status, json(token: receipt.isRepeated ? Self.shownOnce : secret.text), position: receipt.position)
        answer.recordedBody = json(token: Self.shownOnce)
        return answer
    }

    func listAPIKeys(_ request: APIRequest) async throws -> APIAnswer {
        let order = try request.order(APIKeyField.createdAt, isDescending: false)
        let keys = try await projections.apiKeys(by: order, in: request.workspace)
        let uses = PointInTime.current == nil ? dependencies.keyUses : nil
        return APIAnswer(.ok, JSONText(array: keys.map { $0.json(lastUse: uses?.last(of: $0.id)) }))
    }

    /// An admin of the default workspace may make keys for any other.
    private func scoped(_ request: APIRequest, to name: String?) throws -> CommandRequest {
        let original = request.commandRequest
        guard let name, name != request.workspace.text else { return original }
        guard let workspace = WorkspaceName(name) else {
            throw APIError.badRequest("workspace may hold a-z, 0-9 and - only, at most 63 of them")
        }
        guard request.principal.workspace == .default else {
            throw APIError(.forbidden, .forbidden, "this key belongs to another workspace")
        }
        return CommandRequest(
            workspace: workspace, actor: original.actor, idempotency: original.idempotency,
            traceparent: original.traceparent)
    }
}
