import Domain
import Foundation
import Gateways
import Governance

/// A connector as a client sends it, taken apart: what may be stored as it came, and what is sealed.
struct ConnectorDocument {
    /// What stands in the place of a header's value.
    static let mask = "***"
    private static let headersMax = 32
    private static let reservedHeaders: Set = [
        "host", "content-length", "content-type", "transfer-encoding", "connection", "idempotency-key", "webhook-id",
        "webhook-timestamp", "webhook-signature",
    ]
    private static let settings = ["channel", "project", "issue_type", "severity"]
    private static let credentials = ["bot_token", "routing_key", "username", "api_token", "signing_secret"]

    let document: JSONValue
    let connection: ConnectorConnection
    /// A signing secret that was made here, to be shown once.
    let madeSecret: String?

    /// - Parameters:
    ///   - current: what is stored, when this is a change of it.
    ///   - linksDecide: what `decision_links` is when nobody says.
    init(
        _ body: JSONValue, over current: (document: JSONValue, connection: ConnectorConnection)?, linksDecide: Bool
    ) throws(APIError) {
        let old = current?.document
        guard let name = try body.text("name") ?? old?["name"]?.string else { throw .badRequest("name is required") }
        guard name.utf8.count <= 200, !name.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
            throw .badRequest("name must have at most 200 bytes and no control characters")
        }
        let kind =
            try Self.choice(body, "type", ConnectorKind.allCases.map(\.rawValue)) ?? old?["type"]?.string ?? "webhook"
        let endpoint = try Self.endpoint(body, kind, current)
        let isMoved =
            current.map { stored in
                let old = SecretOrigins(endpoint: SlackChannel.url(stored.connection.endpoint))
                return !SecretOrigins(endpoint: SlackChannel.url(endpoint)).moved(from: old).isEmpty
            } ?? false
        let headers = try Self.headers(body, current?.connection.headers ?? [], isMoved: isMoved)
        var credentials = try Self.credentials(body, current?.connection.credentials ?? [], isMoved: isMoved)
        madeSecret =
            kind == "webhook" && !credentials.contains { $0.name == "signing_secret" } ? SigningSecret.make() : nil
        if let madeSecret { credentials.append(.init(name: "signing_secret", value: .string(madeSecret))) }
        connection = ConnectorConnection(endpoint: endpoint, headers: headers, credentials: credentials)
        if let channel = SlackChannel(connection, of: ConnectorKind(rawValue: kind)), !channel.hasToken {
            throw .badRequest(
                "endpoint is a channel of Slack: send the bot's token in headers.\(SlackChannel.tokenHeader), or as "
                    + "credentials.bot_token")
        }
        var members: [JSONValue.Member] = [
            .init(name: "name", value: .string(name)), .init(name: "type", value: .string(kind)),
            .init(name: "endpoint", value: .string(Self.shown(endpoint, kind))),
            .init(
                name: "headers",
                value: .object(headers.map { .init(name: $0.name, value: .string(Self.mask)) })),
            .init(name: "enabled", value: .bool(try Self.flag(body, "enabled") ?? (old?["enabled"] != .bool(false)))),
            .init(
                name: "decision_links",
                value: .bool(
                    try Self.flag(body, "decision_links") ?? old.map { $0["decision_links"] == .bool(true) }
                        ?? linksDecide)),
            .init(name: "credentials_set", value: .array(credentials.map { .string($0.name) })),
        ]
        func add(_ name: String, _ value: JSONValue?) {
            if let value { members.append(.init(name: name, value: value)) }
        }
        let seconds = try body.integer("timeout_seconds", in: ConnectorDefaults.timeoutSecondsRange)
        add("timeout_seconds", seconds.map { .number(String($0)) } ?? old?["timeout_seconds"])
        let mode =
            try Self.choice(body, "slack_security_mode", ["compat", "strict"]) ?? old?["slack_security_mode"]?.string
        if kind == "slack" { add("slack_security_mode", .string(mode ?? "compat")) }
        let topology = try Self.choice(body, "topology", ["Internal", "External"]) ?? old?["topology"]?.string
        add("topology", topology.map(JSONValue.string))
        add("settings", try Self.settings(body) ?? old?["settings"])
        let events = try Self.securityEvents(body) ?? old?["security_events"]
        if let events, events != .array([]), kind != "webhook" {
            throw .badRequest("security_events needs a connector of type webhook")
        }
        add("security_events", events)
        document = .object(members)
    }

    var secrets: [NamedSecret] {
        get throws(APIError) { [try NamedSecret(ConnectorConnection.secretName, connection.value.text.text)] }
    }

    /// A webhook's address is a key: of Slack's and Teams' the host is shown, of others what does not look like one.
    static func shown(_ endpoint: String, _ kind: String) -> String {
        guard !SlackChannel.isChannel(endpoint) else { return endpoint }
        guard let url = URLComponents(string: endpoint), let host = url.host else { return "…" }
        let origin = "\(url.scheme ?? "https")://\(host)" + (url.port.map { ":\($0)" } ?? "")
        if kind == "slack" || kind == "teams" {
            let isPlain = url.query == nil && ["", "/", "/api", "/api/", "/api/chat.postMessage"].contains(url.path)
            return origin + (isPlain ? url.path : "/…")
        }
        let path = url.path.split(separator: "/", omittingEmptySubsequences: false).map { part in
            looksSecret(part) ? "…" : String(part)
        }.joined(separator: "/")
        return origin + path + (url.query == nil ? "" : "?…")
    }

    private static func looksSecret(_ part: Substring) -> Bool {
        part.count >= 16 && part.contains { $0.isNumber } && part.contains { $0.isLetter }
            || part.count >= 24
    }

    private static func endpoint(
        _ body: JSONValue, _ kind: String, _ current: (document: JSONValue, connection: ConnectorConnection)?
    ) throws(APIError) -> String {
        let given = try body.text("endpoint")
        // Whoever sends back what is shown changes nothing.
        if let current, given == nil || current.document["endpoint"]?.string == given {
            guard kind == ConnectorKind.slack.rawValue || !SlackChannel.isChannel(current.connection.endpoint) else {
                throw .badRequest("endpoint is a channel of Slack: send the URL of a connector of type \(kind)")
            }
            return current.connection.endpoint
        }
        guard let given else { throw .badRequest("endpoint is required") }
        guard !given.contains("…") else {
            throw .badRequest("endpoint is masked: send the whole one, or leave it out to keep what is stored")
        }
        if kind == ConnectorKind.slack.rawValue, SlackChannel.isChannel(given) { return given }
        try checkURL(given, "endpoint")
        do throws(InvalidURL) { _ = try NormalizedURL(given) } catch { throw .badRequest("endpoint \(error.reason)") }
        return given
    }

    private static func headers(
        _ body: JSONValue, _ stored: [JSONValue.Member], isMoved: Bool
    ) throws(APIError) -> [JSONValue.Member] {
        guard case .object(let given)? = try body.object("headers") else {
            guard !isMoved || stored.isEmpty else { throw moved("headers") }
            return stored
        }
        guard given.count <= headersMax else { throw .badRequest("headers must have at most \(headersMax) members") }
        var headers: [JSONValue.Member] = []
        for header in given {
            guard case .string(let value) = header.value else {
                throw .badRequest("headers.\(header.name.excerpt) must be a string")
            }
            guard HTTPFieldText.isName(header.name), HTTPFieldText.isValue(value) else {
                throw .badRequest("headers.\(header.name.excerpt) is no header of HTTP")
            }
            guard !reservedHeaders.contains(header.name.lowercased()) else {
                throw .badRequest("headers.\(header.name.excerpt) is set by Sluice: leave it out")
            }
            guard !headers.contains(where: { $0.name.lowercased() == header.name.lowercased() }) else {
                throw .badRequest("headers.\(header.name.excerpt) is there twice")
            }
            guard value == mask else {
                headers.append(header)
                continue
            }
            guard !isMoved else { throw moved("headers") }
            guard let known = stored.first(where: { $0.name == header.name }) else {
                throw .badRequest("headers.\(header.name.excerpt) is masked, and none of that name is stored")
            }
            headers.append(known)
        }
        return headers
    }

    private static func credentials(
        _ body: JSONValue, _ stored: [JSONValue.Member], isMoved: Bool
    ) throws(APIError) -> [JSONValue.Member] {
        var given: [JSONValue.Member] = []
        if case .object(let members)? = try body.object("credentials") {
            for member in members {
                guard credentials.contains(member.name) else {
                    throw .badRequest(
                        "credentials.\(member.name.excerpt) is unknown; known are \(credentials.joined(separator: ", "))"
                    )
                }
                guard case .string(let value) = member.value, !value.isEmpty, HTTPFieldText.isValue(value) else {
                    throw .badRequest("credentials.\(member.name) must be a string of one line")
                }
                guard member.name != "signing_secret" || SigningSecret.isValid(value) else {
                    throw .badRequest("credentials.signing_secret must be whsec_ and the base64 of 24 to 64 bytes")
                }
                given.append(member)
            }
        }
        let kept = stored.filter { old in !given.contains { $0.name == old.name } }
        // It is never sent, so that it may stay where the endpoint goes elsewhere.
        guard !isMoved || kept.allSatisfy({ $0.name == "signing_secret" }) else { throw moved("credentials") }
        return kept + given
    }

    private static func moved(_ field: String) -> APIError {
        SecretOrigins.refusal(["endpoint"], secrets: [field])
    }

    private static func settings(_ body: JSONValue) throws(APIError) -> JSONValue? {
        guard let given = try body.object("settings") else { return nil }
        var members: [JSONValue.Member] = []
        for name in settings {
            let text: String?
            do throws(APIError) { text = try given.text(name) } catch {
                throw .badRequest("settings.\(error.message)")
            }
            guard let text else { continue }
            guard text.utf8.count <= 200, !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
                throw .badRequest("settings.\(name) must have at most 200 bytes and no control characters")
            }
            members.append(.init(name: name, value: .string(text)))
        }
        return .object(members)
    }

    private static func securityEvents(_ body: JSONValue) throws(APIError) -> JSONValue? {
        switch body["security_events"] {
        case nil, .null?: return nil
        case .array(let values)?:
            let kinds = SecurityEventKind.allCases.map(\.rawValue)
            guard values.allSatisfy({ $0.string.map(kinds.contains) ?? false }) else {
                throw .badRequest("security_events must have only \(kinds.joined(separator: ", "))")
            }
            return .array(kinds.filter { values.contains(.string($0)) }.map(JSONValue.string))
        default: throw .badRequest("security_events must be an array")
        }
    }

    private static func choice(_ body: JSONValue, _ name: String, _ words: [String]) throws(APIError) -> String? {
        guard let text = try body.text(name) else { return nil }
        guard words.contains(text) else {
            throw .badRequest("\(name) must be one of \(words.joined(separator: ", "))")
        }
        return text
    }

    static func flag(_ body: JSONValue, _ name: String) throws(APIError) -> Bool? {
        switch body[name] {
        case nil, .null?: return nil
        case .bool(let flag)?: return flag
        default: throw .badRequest("\(name) must be true or false")
        }
    }
}

/// What may stand in a header (RFC 9110, section 5).
private enum HTTPFieldText {
    static func isName(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.unicodeScalars.allSatisfy { scalar in
                scalar.isASCII
                    && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                        || "!#$%&'*+-.^_`|~".unicodeScalars.contains(scalar))
            }
    }

    static func isValue(_ text: String) -> Bool {
        text.utf8.count <= 4096 && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
    }
}
