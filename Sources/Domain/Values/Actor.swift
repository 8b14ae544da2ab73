/// Who caused an event.
package struct Actor: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// A request made with an API key.
        case apiKey(APIKeyID)
        /// Sluice itself: the scheduler, the executor, the first start.
        case system
    }

    package let kind: Kind
    /// The key's name, or the part of Sluice that acted.
    package let name: String

    package init(kind: Kind, name: String) {
        self.kind = kind
        self.name = name
    }

    package static let scheduler = Actor(kind: .system, name: "scheduler")
    package static let gateway = Actor(kind: .system, name: "gateway")
    package static let executor = Actor(kind: .system, name: "executor")
    package static let bootstrap = Actor(kind: .system, name: "bootstrap")
}

/// What an API key may do; each role's permissions are listed in the HTTP API.
package enum Role: String, Hashable, Sendable, CaseIterable {
    case admin, `operator`, approver, agent, viewer
}
