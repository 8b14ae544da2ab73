import Domain
import HTTPTypes

extension RouteTable {
    /// Other names of models. An alias may have slashes in its name, which is the rest of the path.
    mutating func addModelAliases(_ api: APIHandlers) {
        let (prefixes, path) = (Self.apiPrefixes, "/model-aliases")
        on(.get, path, under: prefixes, .read, query: ["sort"]) { try await api.listResources(.modelAlias, $0) }
        on(.post, path, under: prefixes, .manageResources) { try await api.upsert(.modelAlias, $0) }
        on(.get, path + "/**", under: prefixes, .read) { request in
            try await api.getResource(.modelAlias, named: try request.restOfPath(), request)
        }
        on(.put, path + "/**", under: prefixes, .manageResources, api.putModelAlias)
        on(.delete, path + "/**", under: prefixes, .manageResources) { request in
            try await api.deleteResource(.modelAlias, named: try request.restOfPath(), request)
        }
    }
}
