package import Domain
import Governance

/// The services that approvers are told by.
package enum ConnectorKind: String, Hashable, Sendable, CaseIterable {
    case webhook, slack, teams, jira, pagerduty
}

/// What of a connector is secret: sealed as one, under the name `connection`.
package struct ConnectorConnection: Hashable, Sendable {
    package static let secretName = "connection"

    package let endpoint: String
    package let headers: [JSONValue.Member]
    package let credentials: [JSONValue.Member]

    package init(endpoint: String, headers: [JSONValue.Member], credentials: [JSONValue.Member]) {
        self.endpoint = endpoint
        self.headers = headers
        self.credentials = credentials
    }

    package init?(_ value: JSONValue) {
        guard let endpoint = value["endpoint"]?.string, case .object(let headers)? = value["headers"],
            case .object(let credentials)? = value["credentials"]
        else { return nil }
        self.init(endpoint: endpoint, headers: headers, credentials: credentials)
    }

    package var value: JSONValue {
        .members(["endpoint": .string(endpoint), "headers": .object(headers), "credentials": .object(credentials)])
    }

    func credential(_ name: String) -> String? { JSONValue.object(credentials)[name]?.string }

    func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value.string
    }
}

/// A connector, ready to send.
package struct ApprovalConnector: Sendable {
    package static let defaultsName = "defaults"

    package let id: String
    package let name: String
    package let kind: ConnectorKind
    package let isEnabled: Bool
    package let timeout: Duration
    let isInternal: Bool
    /// Whether who has a link of its messages may decide.
    let linksDecide: Bool
    /// What it is told of besides approvals.
    let securityEvents: Set<SecurityEventKind>
    let settings: JSONValue
    let connection: ConnectorConnection

    /// `nil` when the document is of another version.
    package init?(
        id: String, document: JSONValue, connection: ConnectorConnection, timeoutSecondsDefault: Int
    ) {
        guard let name = document["name"]?.string,
            let kind = (document["type"]?.string).flatMap(ConnectorKind.init(rawValue:))
        else { return nil }
        self.id = id
        self.name = name
        self.kind = kind
        isEnabled = document["enabled"] != .bool(false)
        let seconds = document["timeout_seconds"]?.unsigned.flatMap { Int(exactly: $0) } ?? timeoutSecondsDefault
        timeout = .seconds(seconds)
        isInternal = document["topology"]?.string == "Internal"
        // Where everybody who reads a channel counts as nobody, a link may not decide.
        linksDecide =
            document["decision_links"] == .bool(true) && document["slack_security_mode"]?.string != "strict"
        let events = document["security_events"].elements
        securityEvents =
            kind == .webhook ? Set(events.compactMap { $0.string.flatMap(SecurityEventKind.init(rawValue:)) }) : []
        let settings = document["settings"] ?? .object([])
        let channel = SlackChannel(connection, of: kind)
        self.settings = channel?.settings(settings) ?? settings
        self.connection = channel?.connection ?? connection
    }

    /// Whether a link of its messages may decide for approvers of these groups: of all, when there is none.
    func mayDecide(for groups: [String]) -> Bool {
        linksDecide && (groups.isEmpty || groups.contains(UsedLink.group(name)))
    }

    /// The endpoint with more of a path after it.
    func url(_ suffix: String) -> String {
        let base = connection.endpoint.hasSuffix("/") ? String(connection.endpoint.dropLast()) : connection.endpoint
        return base.hasSuffix(suffix) ? base : base + suffix
    }
}

/// What holds where a policy's `delivery` says nothing.
package struct ConnectorDefaults: Hashable, Sendable {
    package static let timeoutSecondsRange = 1...120

    package enum Mode: String, Hashable, Sendable, CaseIterable {
        /// One after the other, until one is delivered.
        case firstSuccess = "first_success"
        /// By every connector.
        case all
    }

    package var mode = Mode.firstSuccess
    /// Whether a request that no connector could deliver goes on waiting; else it is rejected.
    package var fallsBackToUI = true
    package var timeoutSeconds = 10
    /// Names or ids; `nil` is every connector that is enabled.
    package var connectors: [String]?

    package init() {}

    package init(_ document: JSONValue) {
        if let mode = document["default_delivery_mode"]?.string.flatMap(Mode.init(rawValue:)) { self.mode = mode }
        if case .bool(let flag)? = document["default_fallback_to_ui"] { fallsBackToUI = flag }
        if let seconds = document["default_timeout_seconds"]?.unsigned { timeoutSeconds = Int(clamping: seconds) }
        if case .array(let names)? = document["default_connectors"] { connectors = names.compactMap(\.string) }
    }

    package var document: JSONValue {
        .members([
            "default_delivery_mode": .string(mode.rawValue), "default_fallback_to_ui": .bool(fallsBackToUI),
            "default_timeout_seconds": .number(UInt64(clamping: timeoutSeconds)),
            "default_connectors": connectors.map { .array($0.map(JSONValue.string)) },
        ])
    }
}
