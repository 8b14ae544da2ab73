import HTTPTypes

extension RouteTable {
    /// People whose data is to go.
    mutating func addErasures(_ api: APIHandlers) {
        let prefixes = Self.rootPrefixes
        on(.post, "/erasures", under: prefixes, .erasePeople, api.requestErasure)
        onRaw(.get, "/erasures", under: prefixes, .read, query: ["limit", "cursor"], api.listErasures)
        on(.get, "/erasures/:id", under: prefixes, .read, api.getErasure)
        on(.get, "/erasures/:id/certificate", under: prefixes, .read, asOf: .refused, api.erasureCertificate)
    }
}
