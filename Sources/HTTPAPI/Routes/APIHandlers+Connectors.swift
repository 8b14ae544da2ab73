import CommandHandling
import Domain
import EventStreaming
import Gateways
import HTTPTypes
import Projections

/// Approval connectors, what holds where a policy says nothing of them, and what they did.
extension APIHandlers {
    private static let activityDefault: UInt64 = 50

    func listConnectors(_ request: APIRequest) async throws -> APIAnswer {
        let records = try await connectorRecords(request, by: try request.resourceOrder())
        let seconds = try await connectors.defaults(in: request.workspace).timeoutSeconds
        return APIAnswer(.ok, JSONText(array: records.map { $0.connectorJSON(timeoutSeconds: seconds) }))
    }

    func getConnector(_ request: APIRequest) async throws -> APIAnswer {
        try await answer(.ok, try await connectorRecord(request), request)
    }

    func createConnector(_ request: APIRequest) async throws -> APIAnswer {
        let document = try ConnectorDocument(
            request.body, over: nil, linksDecide: Permission.manageKeys.isGranted(to: request.principal))
        try checkLinks(document, request)
        let id = "conn-\((commands.newID() as ResourceID).description)"
        let receipt = try await storeConnector(id, document, request)
        // A repeated request made its connector the first time.
        let name = receipt.events.lazy.compactMap { recorded in
            if case .resourceStored(let stored) = recorded.event.payload { stored.name } else { nil }
        }.first
        return try await answer(
            .created, try await connectorRecord(name ?? id, request), request, position: receipt.position,
            madeSecret: document.madeSecret)
    }

    func changeConnector(_ request: APIRequest) async throws -> APIAnswer {
        let record = try await connectorRecord(request)
        let document = try ConnectorDocument(
            request.body, over: try stored(record, request), linksDecide: false)
        let harmless: Set = ["enabled", "timeout_seconds"]
        let names = if case .object(let members) = request.body { Set(members.map(\.name)) } else { Set<String>() }
        if !names.subtracting(harmless).isEmpty { try checkLinks(document, request) }
        let receipt = try await storeConnector(record.name, document, revision: record.revision, request)
        return try await answer(
            .ok, try await connectorRecord(record.name, request), request, position: receipt.position,
            madeSecret: document.madeSecret)
    }

    func deleteConnector(_ request: APIRequest) async throws -> APIAnswer {
        let record = try await connectorRecord(request)
        let receipt = try await execute(.deleteResource(kind: .approvalConnector, name: record.name), request)
        return APIAnswer(.ok, .object { $0.add("status", "deleted") }, position: receipt.position)
    }

    /// Sends a message that asks for nothing. What is masked in the request is taken from the stored connector that is
    /// shown so.
    func testConnector(_ request: APIRequest) async throws -> APIAnswer {
        let current = try await connectorMeant(request)
        let named = request.body["name"] == nil ? request.body.adding("name", .string("test")) : request.body
        let document = try ConnectorDocument(named, over: current, linksDecide: false)
        let defaults = try await connectors.defaults(in: request.workspace)
        guard
            let connector = ApprovalConnector(
                id: "test", document: document.document, connection: document.connection,
                timeoutSecondsDefault: defaults.timeoutSeconds)
        else { throw APIError.badRequest("type is required") }
        let checks = await dependencies.connectorTest.run(
            connector, id: commands.newID(), in: request.workspace, at: commands.clock.now())
        let isPassed = checks.allSatisfy(\.isPassed)
        return APIAnswer(
            .ok,
            .object { json in
                json.add("status", isPassed ? "healthy" : "unhealthy")
                json.add("connector_type", connector.kind.rawValue)
                json.add("endpoint", document.document["endpoint"]?.string)
                json.add("checks", checks.map(\.json))
            })
    }

    func connectorDefaults(_ request: APIRequest) async throws -> APIAnswer {
        APIAnswer(.ok, try await connectors.defaults(in: request.workspace).json)
    }

    /// Changes what is named; the rest stays.
    func changeConnectorDefaults(_ request: APIRequest) async throws -> APIAnswer {
        var defaults = try await connectors.defaults(in: request.workspace)
        let body = request.body
        if let text = try body.text("default_delivery_mode") {
            guard let mode = ConnectorDefaults.Mode(rawValue: text) else {
                let modes = ConnectorDefaults.Mode.allCases.map(\.rawValue).joined(separator: ", ")
                throw APIError.badRequest("default_delivery_mode must be one of \(modes)")
            }
            defaults.mode = mode
        }
        if let flag = try ConnectorDocument.flag(body, "default_fallback_to_ui") { defaults.fallsBackToUI = flag }
        let seconds = try body.integer("default_timeout_seconds", in: ConnectorDefaults.timeoutSecondsRange)
        if let seconds { defaults.timeoutSeconds = seconds }
        if let names = try body.texts("default_connectors") {
            guard names.count <= 100 else {
                throw APIError.badRequest("default_connectors must have at most 100 names")
            }
            defaults.connectors = names.isEmpty ? nil : names
        }
        let item = StoreResources.Item(
            kind: .approvalConnector, name: ApprovalConnector.defaultsName, newID: commands.newID(),
            document: defaults.document.text)
        let receipt = try await execute(.storeResources(StoreResources(items: [item])), request)
        return APIAnswer(
            .ok, try await connectors.defaults(in: request.workspace).json, position: receipt.position)
    }

    func connectorActivity(_ request: APIRequest) async throws -> APIAnswer {
        if let agent = request.principal.agent {
            throw APIError(
                .forbidden, .forbidden, "a key of agent \(agent) may not list what connectors did for all agents")
        }
        let limit = try request.query("limit", in: 1...1000) ?? Self.activityDefault
        let records = try await projections.connectorActivity(limit: Int(limit), in: request.workspace)
        return APIAnswer(.ok, JSONText(array: records.map(\.json)))
    }

    private var connectors: ConnectorDirectory { ConnectorDirectory(projections: projections, vault: vault) }

    /// Whoever has a link decides: letting that be is for those who may give keys away.
    private func checkLinks(_ document: ConnectorDocument, _ request: APIRequest) throws(APIError) {
        guard document.document["decision_links"] == .bool(true),
            !Permission.manageKeys.isGranted(to: request.principal)
        else { return }
        throw APIError(
            .forbidden, .forbidden,
            "decision_links lets every reader of this connector's messages decide: storing it needs a key of role admin; "
                + "send decision_links false, or have an admin send it")
    }

    private func storeConnector(
        _ id: String, _ document: ConnectorDocument, revision: UInt64? = nil, _ request: APIRequest
    ) async throws -> Receipt {
        let owner = ResourceKey(workspace: request.workspace, kind: .approvalConnector, name: id)
        let newID: ResourceID = commands.newID()
        return try await execute(sealing: [(owner, try document.secrets)], request) { sealed in
            let item = StoreResources.Item(
                kind: .approvalConnector, name: id, newID: newID, document: document.document.text,
                secrets: sealed[owner] ?? [], expectedRevision: revision)
            return .storeResources(StoreResources(items: [item], mustExist: revision != nil))
        }
    }

    private func connectorRecords(
        _ request: APIRequest, by order: ResourceOrder? = nil
    ) async throws -> [ResourceRecord] {
        try await projections.resources(.approvalConnector, by: order, in: request.workspace).filter {
            $0.name != ApprovalConnector.defaultsName
        }
    }

    private func connectorRecord(_ request: APIRequest) async throws -> ResourceRecord {
        try await connectorRecord(try request.parameter("connector"), request)
    }

    private func connectorRecord(_ id: String, _ request: APIRequest) async throws -> ResourceRecord {
        let missing = Self.notFound(.approvalConnector, id)
        guard id != ApprovalConnector.defaultsName else { throw APIError.notFound(missing) }
        return try await resource(.approvalConnector, id, request, notFound: missing)
    }

    private func stored(
        _ record: ResourceRecord, _ request: APIRequest
    ) throws -> (document: JSONValue, connection: ConnectorConnection) {
        guard let connection = try connectors.connection(of: record.name, in: request.workspace) else {
            throw APIError.conflict("the connector's secrets are gone: delete it and create it again")
        }
        return (record.document.value, connection)
    }

    /// The stored connector that a test is of, when it is of one.
    private func connectorMeant(
        _ request: APIRequest
    ) async throws -> (document: JSONValue, connection: ConnectorConnection)? {
        if let id = try request.body.text("connector_id", "id") {
            return try stored(try await connectorRecord(id, request), request)
        }
        guard let endpoint = try request.body.text("endpoint") else {
            throw APIError.badRequest("endpoint is required")
        }
        let type = try request.body.text("type")
        let meant = try await connectorRecords(request).filter { record in
            let document = record.document.value
            return document["endpoint"]?.string == endpoint && (type == nil || document["type"]?.string == type)
        }
        guard meant.count < 2 else {
            throw APIError.badRequest("more than one connector is shown with this endpoint: send connector_id")
        }
        return try meant.first.map { try stored($0, request) }
    }

    private func answer(
        _ status: HTTPResponse.Status, _ record: ResourceRecord, _ request: APIRequest, position: Position? = nil,
        madeSecret: String? = nil
    ) async throws -> APIAnswer {
        let seconds = try await connectors.defaults(in: request.workspace).timeoutSeconds
        let json = record.connectorJSON(timeoutSeconds: seconds)
        guard let madeSecret else { return APIAnswer(status, json, position: position) }
        var answer = APIAnswer(
            status, json.adding([.init(name: "signing_secret", value: .string(madeSecret))]), position: position)
        answer.recordedBody = json
        return answer
    }
}

extension ResourceRecord {
    fileprivate func connectorJSON(timeoutSeconds: Int) -> JSONText {
        let document = document.value
        return .object { json in
            json.add("id", name)
            json.add("name", document["name"]?.string)
            json.add("type", document["type"]?.string)
            json.add("endpoint", document["endpoint"]?.string)
            json.add("headers", document["headers"]?.text)
            json.add("enabled", document["enabled"] != .bool(false))
            json.add("timeout_seconds", document["timeout_seconds"]?.text ?? JSONText(verified: String(timeoutSeconds)))
            json.add("slack_security_mode", document["slack_security_mode"]?.string)
            json.add("topology", document["topology"]?.string)
            json.add("settings", document["settings"]?.text)
            json.add("security_events", document["security_events"]?.text)
            json.add("decision_links", document["decision_links"] == .bool(true))
            json.add("credentials_set", document["credentials_set"]?.text)
            json.add("created_at", createdAt)
            json.add("updated_at", updatedAt)
        }
    }
}

extension ConnectorDefaults {
    fileprivate var json: JSONText {
        .object { json in
            json.add("default_delivery_mode", mode.rawValue)
            json.add("default_fallback_to_ui", fallsBackToUI)
            json.add("default_timeout_seconds", timeoutSeconds)
            json.add("min_timeout_seconds", Self.timeoutSecondsRange.lowerBound)
            json.add("max_timeout_seconds", Self.timeoutSecondsRange.upperBound)
            json.add("default_connectors", connectors ?? [])
        }
    }
}

extension ConnectorTest.Check {
    fileprivate var json: JSONText {
        .object { json in
            json.add("id", id)
            json.add("label", label)
            json.add("status", isPassed ? "passed" : "failed")
            json.add("message", message)
            json.add("duration_ms", Int64(duration / .milliseconds(1)))
        }
    }
}

extension ConnectorActivityRecord {
    fileprivate var json: JSONText {
        .object { json in
            json.add("id", id.description)
            json.add("timestamp", time)
            json.add("event", event)
            json.add("connector_id", connector)
            json.add("connector_name", connectorName)
            json.add("request_id", requestID?.description)
            json.add("action_id", actionID?.description)
            json.add("run_id", runID?.description)
            json.add("decision", decision)
            json.add("approver_id", approverID)
            json.add("status_code", statusCode)
            json.add("duration_ms", durationMilliseconds)
            json.add("message", message)
        }
    }
}

extension JSONValue {
    fileprivate func adding(_ name: String, _ value: JSONValue) -> JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(members + [.init(name: name, value: value)])
    }
}
