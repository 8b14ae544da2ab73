import HTTPTypes

extension RouteTable {
    /// The time of events beside the wall clock.
    mutating func addClock(_ api: APIHandlers) {
        on(.get, "/clock", under: Self.apiPrefixes, .read, asOf: .refused, api.getClock)
        on(.post, "/clock/confirm", under: Self.apiPrefixes, .confirmClock, api.confirmClock)
    }
}
