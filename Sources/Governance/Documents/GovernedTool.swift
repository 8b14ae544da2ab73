package import Domain

/// What governance has to know of a tool, read from its stored document.
package struct GovernedTool: Hashable, Sendable {
    /// Who may call a tool that no policy speaks of.
    package enum AccessMode: String, Hashable, Sendable, CaseIterable {
        /// Every agent.
        case open = "Open"
        /// Agents that name the tool among their required tools.
        case restricted = "Restricted"
        /// Nobody without an approval.
        case critical = "Critical"
    }

    package enum Authentication: String, Hashable, Sendable, CaseIterable {
        case none = "None"
        case apiKey = "APIKey"
        case oauth2 = "OAuth2"
        case awsSignature = "AWSSignature"
    }

    package static let capabilitiesMax = 1_000
    package static let headersMax = 50

    package let name: String
    package let baseURL: NormalizedURL
    package let tags: RiskTags
    package let capabilities: [ToolCapability]
    package let accessMode: AccessMode
    package let requiresApproval: Bool
    package let authentication: Authentication
    /// Whether the document says, by `topology: Internal`, that the tool is on private addresses.
    package let isInternal: Bool
    /// How long a call may take; `nil` when the document leaves it to the gateway.
    package let timeout: Duration?
    /// Names, in lower case, of headers that agents may send beside the usual ones.
    package let headers: Set<String>
    /// The header, in lower case, that the gate puts the tool's key in; `nil` when it is none of the tool's own.
    package let credentialHeader: String?

    /// True when calls go out with a credential.
    package var hasCredentials: Bool { authentication != .none }

    package init(name: String, document: JSONValue) throws(InvalidDocument) {
        guard let spec = try DocumentReader(document, path: "tool").member(object: "spec") else {
            throw InvalidDocument("spec is required")
        }
        try self.init(name: name, spec: spec)
    }

    package init(name: String, spec: JSONValue) throws(InvalidDocument) {
        let reader = try DocumentReader(spec, path: "spec")
        self.name = name
        guard let connection = try reader.object("connection") else {
            throw InvalidDocument("spec.connection is required")
        }
        baseURL = try Self.baseURL(connection)
        isInternal = try connection.text("topology")?.lowercased() == "internal"
        let seconds = try connection.integer("timeoutSeconds", in: 1...3600)
        timeout = try connection.duration("timeout") ?? seconds.map { .seconds($0) }
        let authentication = try connection.object("authentication")
        self.authentication = try authentication?.choice("type", of: Authentication.self) ?? .none
        let key = try authentication?.object("apiKeyConfig")
        let isQuery = try (key ?? authentication)?.text("in")?.lowercased() == "query"
        credentialHeader = isQuery ? nil : try (key ?? authentication)?.text("name")?.lowercased()
        headers = try Self.headers(connection, credential: credentialHeader)
        let governance = try reader.object("governance")
        let access = try governance?.object("accessControl")
        accessMode = try access?.choice("mode", of: AccessMode.self) ?? .restricted
        // Documents have it in any of three places; one that asks is enough.
        let flags = [
            try access?.flag("requireApproval"), try governance?.flag("requireApproval"),
            try reader.flag("requireApproval"),
        ]
        requiresApproval = flags.contains(true)
        tags = RiskTags(try reader.texts("riskTags"))
        var capabilities: [ToolCapability] = []
        for capability in try reader.objects("capabilities", max: Self.capabilitiesMax) {
            capabilities.append(try ToolCapability(capability))
        }
        self.capabilities = capabilities
    }

    /// The base URL: what the document has, with its `port` and `scheme` where the URL has none of its own.
    private static func baseURL(_ connection: DocumentReader) throws(InvalidDocument) -> NormalizedURL {
        guard let text = try connection.text("baseUrl", "base_url") else {
            throw connection.invalid("baseUrl", "is required")
        }
        do throws(InvalidURL) {
            let url = try NormalizedURL(text)
            guard url.query == nil else { throw InvalidURL("must have no query") }
            return url
        } catch {
            throw connection.invalid("baseUrl", error.reason)
        }
    }

    /// The headers that the document lets agents send, beside those that every tool gets.
    private static func headers(
        _ connection: DocumentReader, credential: String?
    ) throws(InvalidDocument) -> Set<String> {
        var all: Set<String> = []
        for (member, isIdentity) in [("headers", false), ("identityHeaders", true)] {
            let names = try connection.texts(member).map { $0.lowercased() }
            guard names.count <= headersMax else {
                throw connection.invalid(member, "must have at most \(headersMax) entries")
            }
            for name in names {
                let refusal =
                    name == credential
                    ? "the gate puts the tool's key there" : HeaderRule.refusal(of: name, isIdentity: isIdentity)
                guard let refusal else { continue }
                throw connection.invalid(member, "must not name \"\(name.excerpt)\": \(refusal)")
            }
            all.formUnion(names)
        }
        return all
    }

    /// The URL of what an agent asks for below the base URL, with its query.
    package func url(below path: String) -> String {
        let base = baseURL.text
        return base + (base.hasSuffix("/") && path.hasPrefix("/") ? path.dropFirst() : path[...])
    }

    /// Where below the base URL the call is; `nil` when its path, or some reading of it, lies elsewhere.
    package func place(of url: NormalizedURL) -> ToolPath? {
        guard url.hasOrigin(of: baseURL), let path = url.path.below(baseURL.path) else { return nil }
        guard url.readings.agree(with: baseURL.readings, { $0.below($1) != nil }) else { return nil }
        var readings = Readings<String>()
        for reading in url.readings.all {
            guard let base = baseURL.readings.value(by: reading.way), let below = reading.value.below(base) else {
                return nil
            }
            readings.add(below, reading.way)
        }
        return ToolPath(path: path, readings: readings)
    }
}

/// The path of a call below its tool's base URL.
package struct ToolPath: Hashable, Sendable {
    package let path: String
    /// The path as servers may read it, see `NormalizedURL`.
    let readings: Readings<String>

    /// True when every server reads the path as it stands.
    var hasOneReading: Bool { readings.all.count == 1 && readings.all[0].value.isExactly(path) }
}

extension String {
    /// What follows the path `base`, with its slash.
    fileprivate func below(_ base: String) -> String? {
        let base = base.hasSuffix("/") ? base.dropLast() : base[...]
        guard utf8.starts(with: base.utf8) else { return nil }
        let rest = utf8.dropFirst(base.utf8.count)
        guard let first = rest.first else { return "/" }
        return first == UInt8(ascii: "/") ? String(Substring(rest)) : nil
    }
}
