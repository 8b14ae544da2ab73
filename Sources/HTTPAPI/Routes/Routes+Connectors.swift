import Domain
import Gateways
import HTTPTypes

extension RouteTable {
    /// Approval connectors where the clients of both eras look for them, and the links of their messages.
    mutating func addConnectors(_ api: APIHandlers) {
        let prefixes = Self.apiPrefixes + ["/api/settings"]
        let path = "/approval-connectors"
        on(.get, path, under: prefixes, .read, query: ["sort"], api.listConnectors)
        on(.post, path, under: prefixes, .manageResources, api.createConnector)
        on(.post, path + "/test", under: prefixes, .manageResources, api.testConnector)
        on(.get, path + "/defaults", under: prefixes, .read, api.connectorDefaults)
        on(.put, path + "/defaults", under: prefixes, .manageResources, api.changeConnectorDefaults)
        on(.get, path + "/activity", under: prefixes, .read, query: ["limit"], api.connectorActivity)
        on(.get, path + "/:connector", under: prefixes, .read, api.getConnector)
        on(.patch, path + "/:connector", under: prefixes, .manageResources, api.changeConnector)
        on(.delete, path + "/:connector", under: prefixes, .manageResources, api.deleteConnector)
        onUnread(.get, DecisionLinks.pathPrefix + ":delivery/:secret", nil, api.showDecision)
        onUnread(.post, DecisionLinks.pathPrefix + ":delivery/:secret", nil, api.decideByLink)
    }
}
