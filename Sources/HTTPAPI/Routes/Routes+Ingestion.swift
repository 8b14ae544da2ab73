import HTTPTypes

/// Sources before they are an agent: their analysis and their builds.
extension RouteTable {
    mutating func addIngestion(_ api: APIHandlers, _ configuration: HTTPAPIConfiguration) {
        // Sources are as large as a deploy's.
        let sources = BodyLimits(bytesMax: 4 * configuration.bodyBytesMax)
        let bases = [""] + Self.apiPrefixes
        let prefixes = bases + bases.map { $0 + "/ingestion" }
        on(.post, "/analyze", under: prefixes, .manageResources, body: sources, api.analyze)
        on(.get, "/analysis/:id", under: prefixes, .read, api.getAnalysis)
        on(.post, "/requirements", under: prefixes, .manageResources, body: sources, api.requirements)
        on(.post, "/builds", under: prefixes, .manageResources, body: sources, api.requestBuild)
        onRaw(.get, "/builds", under: prefixes, .read, query: .pages.and(["status"]), api.listBuilds)
        on(.get, "/builds/:id", under: prefixes, .read, api.getBuild)
        on(.get, "/builds/:id/logs", under: prefixes, .read, api.getBuildLog)
        onEnd("/builds/:id/cancel", under: prefixes, .manageResources, api.cancelBuild)
    }
}
