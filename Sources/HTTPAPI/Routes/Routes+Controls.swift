import HTTPTypes

extension RouteTable {
    /// Stops and starts; the older API has the namespace before an agent's name.
    mutating func addControls(_ api: APIHandlers) {
        let workspaces = ["/api/v1/workspaces/:workspace"]
        onEnd("/agents/:name/stop", under: ["/api/v1"] + workspaces, .manageResources, api.stopAgent)
        on(.post, "/agents/:name/start", under: ["/api/v1"] + workspaces, .manageResources, api.startAgent)
        onEnd("/agents/:name/:second/stop", under: ["/api"], .manageResources, api.stopAgent)
        on(.post, "/agents/:name/:second/start", under: ["/api"], .manageResources, api.startAgent)
        onEnd("/tools/:name/stop", under: Self.apiPrefixes, .manageResources, api.stopTool)
        on(.post, "/tools/:name/start", under: Self.apiPrefixes, .manageResources, api.startTool)
        onEnd("/stop", under: workspaces, .manageResources, api.stopWorkspace)
        on(.post, "/start", under: workspaces, .manageResources, api.startWorkspace)
        onEnd("/runs/cancel", under: Self.rootPrefixes, .createRuns, api.cancelRuns)
        on(.get, "/controls", under: Self.apiPrefixes, .read, query: [], api.listControls)
    }
}
