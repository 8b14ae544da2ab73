import Domain
import Gateways
import HTTPTypes

extension RouteTable {
    /// Every route of an agent's own address, `/as/<key>`, at the gate and at the public listener alike.
    ///
    /// The list is all that the published runtime and the SDKs of model providers need. A route that is not in it answers
    /// 404, so that a new route of the API is closed to agents until it is added here.
    mutating func addAgentRoutes(_ api: APIHandlers) {
        let own = ["/as/:agentkey"]
        addAgentGateways("/as/:agentkey", api)
        on(.post, "/runs/:id/checkpoint", under: own, .actAsAgent, body: .documents, api.saveCheckpoint)
        on(.get, "/runs/:id/checkpoint/:action", under: own, .read, asOf: .refused, api.getCheckpoint)
        on(.post, "/runs/:id/tool-result", under: own, .actAsAgent, body: .documents, api.recordToolResult)
        onRaw(.get, "/runs", under: own, .read, query: .runs, asOf: .refused, api.listRuns)
        on(.get, "/runs/:id", under: own, .readOwnRun, asOf: .refused, api.getRun)
        onRaw(.get, "/runs/:id/events", under: own, .read, query: .runEvents, asOf: .refused, api.listEvents)
        on(.post, "/runs/:id/events", under: own, .driveRuns, body: BodyLimits(takesLines: true), api.addEvents)
        on(.get, "/runs/:id/actions", under: own, .readOwnRun, query: [], asOf: .refused, api.listActions)
        on(.get, "/runs/:id/actions/:action", under: own, .readOwnRun, asOf: .refused, api.getAction)
        on(.post, "/runs/:id/actions", under: own, .driveRuns, api.blockAction)
        for path in ["/governance/requests", "/approvals/requests"] {
            on(.post, path, under: own, .actAsAgent, api.requestAccess)
            on(.get, path + "/:id", under: own, .read, asOf: .refused, api.getAccessRequest)
        }
    }

    private mutating func addAgentGateways(_ address: String, _ api: APIHandlers) {
        for method in APIHandlers.egressMethods {
            onUnread(method, address + "/egress/:tool", .actAsAgent, api.egress)
            onUnread(method, address + "/egress/:tool/**", .actAsAgent, api.egress)
        }
        addModelGateway(below: address, asOf: .refused, api)
        addDeploymentPaths(below: address, asOf: .refused, api)
        addResponses(below: address, api)
        // The runtime's readiness check asks for it beside the address of its models.
        onUnread(.get, address + "/healthz", nil, asOf: .refused) { _, _ in api.health().response }
    }
}
