import CommandHandling
import Domain
import EventStreaming
import Gateways
import HTTPTypes
import Hummingbird
import Projections

/// Every route, in one table.
extension RouteTable {
    mutating func addAll(_ api: APIHandlers, _ configuration: HTTPAPIConfiguration) {
        addRuns(api)
        addApprovals(api)
        addResources(api, configuration)
        addControls(api)
        addSecrets(api)
        addSystem(api)
        addModels(api)
        addAgentRoutes(api)
        addDeployment(api, configuration)
        addConnectors(api)
        addIngestion(api, configuration)
        addAudit(api)
        addErasures(api)
        addClock(api)
        addIndex()
    }

    private mutating func addRuns(_ api: APIHandlers) {
        let root = Self.rootPrefixes
        on(.post, "/runs", under: root, .createRuns, api.createRun)
        onRaw(.get, "/runs", under: root, .read, query: .runs, api.listRuns)
        on(.get, "/runs/:id", under: root, .readOwnRun, api.getRun)
        on(.patch, "/runs/:id", under: root, .createRuns, api.changeRun)
        onEnd("/runs/:id/cancel", under: root, .createRuns, api.cancelRun)
        on(.post, "/runs/:id/events", under: root, .driveRuns, body: BodyLimits(takesLines: true), api.addEvents)
        onRaw(.get, "/runs/:id/events", under: root, .read, query: .runEvents) { request in
            if request.header(.accept)?.lowercased().contains("text/event-stream") == true {
                guard PointInTime.current == nil else { throw APIError.noHistory }
                return try await api.streamRun(request)
            }
            return try await api.listEvents(request)
        }
        onRaw(
            .get, "/runs/:id/events/stream", under: root, .read, query: ["after_seq", "format"], asOf: .refused,
            api.streamRun)
        onRaw(
            .get, "/events/stream", under: root, .read, query: ["after_seq", "run", "agent", "type", "format"],
            asOf: .refused, api.streamEvents)
        on(.post, "/runs/:id/checkpoint", under: root, .actAsAgent, body: .documents, api.saveCheckpoint)
        on(.get, "/runs/:id/checkpoint/:action", under: root, .read, api.getCheckpoint)
        on(.post, "/runs/:id/tool-result", under: root, .actAsAgent, body: .documents, api.recordToolResult)
    }

    private mutating func addApprovals(_ api: APIHandlers) {
        let root = Self.rootPrefixes
        on(.post, "/runs/:id/actions", under: root, .driveRuns, api.blockAction)
        on(.get, "/runs/:id/actions", under: root, .readOwnRun, query: [], api.listActions)
        on(.get, "/runs/:id/actions/:action", under: root, .readOwnRun, api.getAction)
        on(
            .get, "/runs/:id/actions/:action/statement", under: root, .read, query: ["decision"], api.actionStatement)
        on(.post, "/runs/:id/actions/:action/approve", under: root, .decide, api.approveAction)
        on(.post, "/runs/:id/actions/:action/reject", under: root, .decide, api.rejectAction)
        for path in ["/governance/requests", "/approvals/requests"] {
            on(.post, path, under: root, .actAsAgent, api.requestAccess)
            onRaw(.get, path, under: root, .read, query: .pages.and(["status"]), api.listAccessRequests)
            on(.get, path + "/:id", under: root, .read, api.getAccessRequest)
            on(
                .get, path + "/:id/statement", under: root, .read, query: ["decision", "scope", "duration"],
                api.accessStatement)
            on(.post, path + "/:id/approve", under: root, .decide, api.approveAccess)
            on(.post, path + "/:id/reject", under: root, .decide, api.rejectAccess)
        }
    }

    private mutating func addResources(_ api: APIHandlers, _ configuration: HTTPAPIConfiguration) {
        let prefixes = Self.apiPrefixes
        on(
            .post, "/deploy", under: prefixes, .manageResources,
            body: BodyLimits(bytesMax: 4 * configuration.bodyBytesMax), api.deploy)
        on(.post, "/starter-kit", under: prefixes, .manageResources, api.starterKit)
        let kinds: [(String, ResourceKind)] = [
            ("/agents", .agent), ("/tools", .tool), ("/policies", .policy), ("/model-providers", .modelProvider),
            ("/identity-providers", .identityProvider),
        ]
        for (path, kind) in kinds {
            on(.get, path, under: prefixes, .read, query: ["sort"]) { try await api.listResources(kind, $0) }
            on(.get, path + "/:name", under: prefixes, .read) { try await api.getResource(kind, $0) }
            on(.delete, path + "/:name", under: prefixes, .manageResources) { try await api.deleteResource(kind, $0) }
        }
        on(.get, "/agents/:name/:second", under: ["/api"], .read, api.getNamespacedAgent)
        on(.delete, "/agents/:name/:second", under: ["/api"], .manageResources, api.deleteNamespacedAgent)
        addAgents(api)
        for (path, kind) in kinds where kind != .agent && kind != .identityProvider {
            on(.post, path, under: prefixes, .manageResources) { try await api.upsert(kind, $0) }
        }
        addModelAliases(api)
        on(.post, "/tools/probe", under: prefixes, .manageResources, api.probe)
        on(.post, "/tools/:name/test", under: prefixes, .manageResources, api.testTool)
        on(.post, "/model-providers/:name/test", under: prefixes, .manageResources, api.testModelProvider)
        on(.post, "/identity-providers", under: prefixes, .manageResources, api.storeIdentityProvider)
        on(
            .get, "/policies/explain", under: prefixes, .read, query: ["agent", "tool", "method", "url"],
            api.explainPolicy)
        on(.post, "/policies/translate", under: prefixes, .read, api.translatePolicy)
        on(.post, "/policies/backtest", under: prefixes, .read, api.backtestPolicy)
        on(.put, "/policies/:name", under: prefixes, .manageResources) { request in
            let name = try request.parameter("name")
            guard try request.body.text("name").map({ $0 == name }) ?? true else {
                throw APIError.badRequest("name must be that of the path, or left out: a policy keeps its name")
            }
            let document = try SpecDocument.document(.policy, request.body)
            return try await api.store(.policy, named: name, document, mustExist: true, request)
        }
    }

    /// The older API has the namespace before the name.
    private mutating func addAgents(_ api: APIHandlers) {
        let current = ["/api/v1", "/api/v1/workspaces/:workspace"]
        let paths = [("/agents/:name", current), ("/agents/:name/:second", ["/api"])]
        for (path, prefixes) in paths {
            on(.post, path + AuthenticationMiddleware.invokePathSuffix, under: prefixes, .invoke, api.invokeAgent)
            onRaw(
                .post, path + APIHandlers.invokeStreamPathSuffix, under: prefixes, .invoke, api.streamInvoke)
            onRaw(
                .get, path + "/logs", under: prefixes, .read, query: ["after", "tail", "follow"], asOf: .refused,
                api.agentOutput)
            on(.get, path + "/build-log", under: prefixes, .read, asOf: .refused, api.agentBuildLog)
            on(.get, path + "/config", under: prefixes, .read, api.agentConfiguration)
            on(.put, path + "/config", under: prefixes, .manageResources, api.changeAgentConfiguration)
            on(.get, path + "/versions", under: prefixes, .read, query: ["limit"], api.listAgentVersions)
            on(.post, path + "/rollback", under: prefixes, .manageResources, api.rollBackAgent)
        }
    }

    private mutating func addSecrets(_ api: APIHandlers) {
        on(.get, "/secrets", under: Self.apiPrefixes, .manageResources, query: [], api.listSecrets)
        on(.post, "/secrets", under: Self.apiPrefixes, .manageResources, api.storeSecret)
        on(.delete, "/secrets/:kind/:owner/:name", under: Self.apiPrefixes, .manageResources, api.deleteSecret)
    }

    private mutating func addSystem(_ api: APIHandlers) {
        on(.post, "/auth/api-keys", under: Self.apiPrefixes, .manageKeys, api.createAPIKey)
        on(.get, "/auth/api-keys", under: Self.apiPrefixes, .manageKeys, query: ["sort"], api.listAPIKeys)
        on(
            .delete, "/auth/api-keys/:id", under: Self.apiPrefixes, .manageKeys, query: ["cancel_runs"],
            api.revokeAPIKey)
        on(.get, "/auth/api-keys/:id/created", under: Self.apiPrefixes, .manageKeys, query: [], api.listMadeByAPIKey)
        onUnread(.get, "/oauth/start/:run/:action/:seal", nil, query: .openTo("ticket"), api.beginConsent)
        onUnread(.post, "/oauth/start/:run/:action/:seal", nil, api.makeConsentTicket)
        onUnread(.get, "/oauth/signed-in", nil, query: .authorizationAnswer, api.finishSignIn)
        onUnread(.get, "/oauth/callback", nil, query: .authorizationAnswer, api.finishConsent)
        onOpen("/healthz") { api.health() }
        onOpen("/readyz") { api.readiness() }
        onOpen("/openapi.json") { api.openAPI() }
        onOpen("/asyncapi.json") { api.asyncAPI() }
        onUnread(.get, "/docs", nil, asOf: .refused) { _, _ in api.referencePage() }
        onRaw(.get, "/metrics", under: [""], .readMetrics, asOf: .refused) { _ in await api.metrics() }
    }
}

extension QueryParameters {
    /// What identity providers append when they redirect a browser (RFC 6749, section 4.1.2); some append more.
    fileprivate static let authorizationAnswer = openTo("state", "code", "error")
    static let runs = pages.and(RunFilter.Name.allCases.flatMap(\.keys))
    static let runEvents: QueryParameters = ["after_seq", "before_seq", "limit", "order", "format"]
}
