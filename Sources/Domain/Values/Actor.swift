/// Who caused an event.
package struct Actor: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// A request made with an API key.
        case apiKey(APIKeyID)
        /// A person who signed in at an identity provider of the workspace.
        case person(Person)
        /// Whoever had the link of a message that a connector sent.
        case decisionLink(UsedLink)
        /// Sluice itself: the scheduler, the executor, the first start.
        case system
    }

    package let kind: Kind
    /// The key's name, a person's user id, or the part of Sluice that acted.
    package let name: String

    package init(kind: Kind, name: String) {
        self.kind = kind
        self.name = name
    }

    /// True for what comes from outside with an identity: a key or a person.
    var isClient: Bool {
        switch kind {
        case .apiKey, .person: true
        case .decisionLink, .system: false
        }
    }

    package static let scheduler = Actor(kind: .system, name: "scheduler")
    package static let retention = Actor(kind: .system, name: "retention")
    package static let gateway = Actor(kind: .system, name: "gateway")
    package static let connectors = Actor(kind: .system, name: "connectors")
    package static let executor = Actor(kind: .system, name: "executor")
    package static let erasure = Actor(kind: .system, name: "erasure")
    package static let keyring = Actor(kind: .system, name: "keyring")
    package static let bootstrap = Actor(kind: .system, name: "bootstrap")
}

/// The link that somebody decided with: which message, and which connector sent it.
package struct UsedLink: Hashable, Sendable {
    package let connectorName: String
    package let deliveryID: DeliveryID

    package init(connectorName: String, deliveryID: DeliveryID) {
        self.connectorName = connectorName
        self.deliveryID = deliveryID
    }

    /// The group of approvers that stands for the links of a connector.
    package var group: String { Self.group(connectorName) }

    package static func group(_ connectorName: String) -> String { "connector:\(connectorName)" }
}

/// A person as an identity provider knows them.
package struct Person: Hashable, Sendable {
    /// The name of the identity provider.
    package let provider: String
    /// Who they are there, for good: a user id may change or be given to another.
    package let subject: String
    /// The e-mail address that their token gives, verified or not; it counts against them alone.
    package let address: String?

    package init(provider: String, subject: String, address: String? = nil) {
        self.provider = provider
        self.subject = subject
        self.address = address
    }
}

/// What an API key may do; each role's permissions are listed in the HTTP API.
package enum Role: String, Hashable, Sendable, CaseIterable {
    case admin, `operator`, approver, agent, viewer, metrics
}
