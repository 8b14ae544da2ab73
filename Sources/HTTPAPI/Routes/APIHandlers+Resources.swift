import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Projections

extension APIHandlers {
    func listResources(_ kind: ResourceKind, _ request: APIRequest) async throws -> APIAnswer {
        let uses = kind == .policy ? try await policyUses(request) : [:]
        let records = try await resources(kind, by: try request.resourceOrder(), request)
        let secrets = kind == .policy ? [:] : try await secretNames(kind, request)
        let controls = try await controls(kind, request)
        let known = kind == .agent ? try await knownNames(request) : nil
        return APIAnswer(
            .ok,
            JSONText(
                array: records.map {
                    $0.json(
                        usedBy: uses[$0.name] ?? [], secrets: secrets[$0.name] ?? [],
                        control: controls[$0.name], known: known)
                }))
    }

    func getResource(_ kind: ResourceKind, _ request: APIRequest) async throws -> APIAnswer {
        try await getResource(kind, named: try request.parameter("name"), request)
    }

    func getResource(_ kind: ResourceKind, named name: String, _ request: APIRequest) async throws -> APIAnswer {
        if kind == .agent { _ = try agentID(name, request) }
        let record = try await resource(kind, name, request, notFound: Self.notFound(kind, name))
        return try await answer(.ok, record, request, position: nil)
    }

    func deleteResource(_ kind: ResourceKind, _ request: APIRequest) async throws -> APIAnswer {
        try await deleteResource(kind, named: try request.parameter("name"), request)
    }

    func deleteResource(_ kind: ResourceKind, named name: String, _ request: APIRequest) async throws -> APIAnswer {
        try await delete(kind, name, request, notFound: nil)
    }

    /// `/api/agents/{namespace}/{name}`: the namespace must be the workspace the key works in.
    func getNamespacedAgent(_ request: APIRequest) async throws -> APIAnswer {
        let (name, missing) = try agentName(request)
        let record = try await resource(.agent, name, request, notFound: missing)
        return try await answer(.ok, record, request, position: nil)
    }

    func deleteNamespacedAgent(_ request: APIRequest) async throws -> APIAnswer {
        let (namespace, name) = (try request.parameter("name"), try request.parameter("second"))
        let missing = "agent \(namespace)/\(name) not found"
        guard namespace == request.workspace.text else { throw APIError.notFound(missing) }
        return try await delete(.agent, name, request, notFound: missing)
    }

    /// Creates or replaces the resource of that name, together with the secrets that it brings.
    func store(
        _ kind: ResourceKind, named name: String, _ document: JSONText, secrets: [NamedSecret] = [],
        mustExist: Bool = false, _ request: APIRequest
    ) async throws -> APIAnswer {
        let item = ResourcesToStore.Item(kind: kind, name: name, document: document, secrets: secrets)
        return try await store(item, mustExist: mustExist, request)
    }

    private func store(
        _ item: ResourcesToStore.Item, mustExist: Bool, _ request: APIRequest
    ) async throws -> APIAnswer {
        if item.kind == .policy { _ = try request.policyWarnings(item.document.value["spec"] ?? .null) }
        try await checkProviders(of: [item], request)
        let receipt = try await execute(ResourcesToStore([item], mustExist: mustExist), request)
        let record = try await resource(item.kind, item.name, request, notFound: Self.notFound(item.kind, item.name))
        return try await answer(mustExist ? .ok : .created, record, request, position: receipt.position)
    }

    /// Creates or replaces the tool, policy or model provider of a body.
    func upsert(_ kind: ResourceKind, _ request: APIRequest) async throws -> APIAnswer {
        try await store(try Self.item(kind, request.body), mustExist: false, request)
    }

    /// The tool, policy or model provider of a body, checked.
    static func item(_ kind: ResourceKind, _ body: JSONValue) throws(APIError) -> ResourcesToStore.Item {
        var secrets: [NamedSecret] = []
        let (name, document): (String, JSONText)
        if kind == .tool {
            (name, document) = (try ToolDocument.name(body), try ToolDocument.document(body, &secrets))
        } else if kind == .modelAlias {
            (name, document) = (try body.requiredText("name"), try ModelAliasDocument.document(body))
        } else {
            name = try body.requiredText("name")
            guard kind != .policy || !SpecDocument.reservedPolicyNames.contains(name) else {
                throw .badRequest("name must not be \(name): that is a path of the API")
            }
            document = try SpecDocument.document(kind, body, &secrets)
        }
        return ResourcesToStore.Item(kind: kind, name: name, document: document, secrets: secrets)
    }

    /// The resources of one kind that the caller may read; of agents, a key that is for one reads that one alone.
    func resources(
        _ kind: ResourceKind, by order: ResourceOrder? = nil, _ request: APIRequest
    ) async throws -> [ResourceRecord] {
        let records = try await projections.resources(kind, by: order, in: request.workspace)
        guard kind == .agent, let own = request.principal.agent else { return records }
        return records.filter { $0.name == own }
    }

    func resource(
        _ kind: ResourceKind, _ name: String, _ request: APIRequest, notFound: String
    ) async throws -> ResourceRecord {
        guard let record = try await projections.resource(kind, named: name, in: request.workspace) else {
            throw APIError.notFound(notFound)
        }
        return record
    }

    static func notFound(_ kind: ResourceKind, _ name: String) -> String {
        let name = name.prefix(253)
        return switch kind {
        case .agent: "agent \(name) not found"
        case .tool: "tool \"\(name)\" not found"
        case .policy: "policy \"\(name)\" not found"
        case .modelProvider: "model provider \"\(name)\" not found"
        case .identityProvider: "identity provider \"\(name)\" not found"
        case .deployDraft: "deploy draft \(name) not found"
        case .settings: "settings \"\(name)\" not found"
        case .modelAlias: "model alias \"\(name)\" not found"
        case .approvalConnector: "approval connector \"\(name)\" not found"
        }
    }

    private func answer(
        _ status: APIStatus, _ record: ResourceRecord, _ request: APIRequest, position: Position?
    ) async throws -> APIAnswer {
        let uses = record.kind == .policy ? try await policyUses(request) : [:]
        let owner = ResourceKey(workspace: request.workspace, kind: record.kind, name: record.name)
        let secrets = record.kind == .policy ? [] : try projections.secrets(of: owner).map(\.reference.name)
        let known = record.kind == .agent ? try await knownNames(request) : nil
        return APIAnswer(
            status == .created ? .created : .ok,
            record.json(
                usedBy: uses[record.name] ?? [], secrets: secrets,
                control: try await controls(record.kind, request)[record.name], known: known), position: position)
    }

    private enum APIStatus { case ok, created }

    private func delete(
        _ kind: ResourceKind, _ name: String, _ request: APIRequest, notFound: String?
    ) async throws -> APIAnswer {
        do {
            let receipt = try await execute(.deleteResource(kind: kind, name: name), request)
            return APIAnswer(.ok, .object { $0.add("status", "deleted") }, position: receipt.position)
        } catch let error as CommandError {
            guard let notFound, case .rejected(let rejection) = error, rejection.code == .resourceNotFound else {
                throw error
            }
            throw APIError.notFound(notFound)
        }
    }

    /// Which agents name which policy.
    private func policyUses(_ request: APIRequest) async throws -> [String: [String]] {
        var uses: [String: [String]] = [:]
        for agent in try await resources(.agent, request) {
            guard case .array(let names)? = agent.document.value["policies"] else { continue }
            for case .string(let name) in names { uses[name, default: []].append(agent.name) }
        }
        return uses
    }
}
