import Domain
import HTTPTypes

/// What stands before and around deploys: the catalog, previews, drafts, plans; and what a workspace has as a whole.
extension RouteTable {
    mutating func addDeployment(_ api: APIHandlers, _ configuration: HTTPAPIConfiguration) {
        let prefixes = Self.apiPrefixes
        on(.post, "/auth/api-keys/:id/rotate", under: prefixes, .manageKeys, api.rotateAPIKey)
        on(.get, "/settings/auth", under: prefixes, .read, api.getAuthSettings)
        on(.put, "/settings/auth", under: prefixes, .manageKeys, api.changeAuthSettings)
        on(.get, "/settings/approval-signers", under: prefixes, .read, api.getApprovalSigners)
        on(.put, "/settings/approval-signers", under: prefixes, .manageKeys, api.changeApprovalSigners)
        addCatalog(api)
        addDrafts(api, configuration)
        let plans = BodyLimits(bytesMax: 4 * configuration.bodyBytesMax)
        on(.post, "/actions/validate", under: prefixes, .read, body: plans, api.validatePlan)
        on(.post, "/actions/apply", under: prefixes, .read, body: plans, api.applyPlan)
        on(.get, "/context/export", under: prefixes, .read, api.exportContext)
        addBilling(api)
    }

    private mutating func addCatalog(_ api: APIHandlers) {
        let prefixes = Self.apiPrefixes
        on(
            .get, "/catalog", under: prefixes, .read,
            query: QueryParameters(arrayLiteral: "search", "page", "page_size").and(
                several: ["category", "tag", "integration", "governance"]), asOf: .refused, api.listCatalog)
        on(.get, "/catalog/:name", under: prefixes, .read, query: ["version"], asOf: .refused, api.getCatalogAgent)
        on(.get, "/catalog/:name/versions", under: prefixes, .read, query: [], asOf: .refused, api.listCatalogVersions)
        on(.post, "/catalog/:name/deploy", under: prefixes, .manageResources, api.deployCatalogAgent)
        for method in APIHandlers.egressMethods {
            onUnread(method, APIHandlers.echoPath, nil, api.echo)
            onUnread(method, APIHandlers.echoPath + "/**", nil, api.echo)
        }
    }

    private mutating func addDrafts(_ api: APIHandlers, _ configuration: HTTPAPIConfiguration) {
        let prefixes = Self.apiPrefixes
        let deploys = BodyLimits(bytesMax: 4 * configuration.bodyBytesMax)
        on(.post, "/deploy/preview", under: prefixes, .read, body: deploys, api.previewDeploy)
        on(.get, "/deploy-drafts", under: prefixes, .read, query: ["status", "mine"], api.listDrafts)
        on(.post, "/deploy-drafts", under: prefixes, .manageResources, body: deploys, api.createDraft)
        on(.get, "/deploy-drafts/:name", under: prefixes, .read, api.getDraft)
        on(.patch, "/deploy-drafts/:name", under: prefixes, .manageResources, body: deploys, api.changeDraft)
        on(.delete, "/deploy-drafts/:name", under: prefixes, .manageResources, api.deleteDraft)
        on(.post, "/deploy-drafts/:name/complete", under: prefixes, .manageResources, api.completeDraft)
        on(.post, "/deploy-drafts/:name/abandon", under: prefixes, .manageResources, api.abandonDraft)
    }

    private mutating func addBilling(_ api: APIHandlers) {
        let prefixes = Self.apiPrefixes
        on(.get, "/billing", under: prefixes, .read, api.billing)
        on(.get, "/billing/usage/daily", under: prefixes, .read, query: ["from", "to"], api.dailyUsage)
        on(.get, "/billing/publishable-key", under: prefixes, .read, asOf: .refused, api.noPayments)
        for path in ["setup-intent", "payment-method", "subscribe", "portal"] {
            on(.post, "/billing/" + path, under: prefixes, .manageKeys, api.noPayments)
        }
    }
}
