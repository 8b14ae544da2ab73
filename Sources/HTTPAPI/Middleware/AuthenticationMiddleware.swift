import Authentication
import Crypto
import Domain
import Gateways
import HTTPTypes
import Hummingbird
import Projections

/// Finds the principal of every request that is not about health.
struct AuthenticationMiddleware: RouterMiddleware {
    typealias Context = APIContext

    /// An agent that sends no key has it in its address: `/as/<key>/runs/…`.
    static let agentPathPrefix = "/as/"
    /// What says nothing of what is stored.
    private static let openPaths: Set<String> = [
        "/healthz", "/readyz", "/openapi.json", "/asyncapi.json", "/docs", APIHandlers.echoPath,
        APIHandlers.addCheckpointPath,
    ]
    /// People's browsers bring no key: what they were given is in the address. The echo has nothing to keep.
    private static let openPathPrefixes = ["/oauth/", DecisionLinks.pathPrefix, APIHandlers.echoPath + "/"]
    private static let azurePathPrefix = "/openai/"
    /// How the routes end where a token may come beside a key.
    static let invokePathSuffix = "/invoke"

    let projections: Projections
    let identities: IdentityGateway
    /// Finds the agent of an instance's token at the gate; `nil` at the public listener, where no such token is valid.
    let agentOfToken: (@Sendable (String) -> AgentIdentity?)?
    let keyMisuse: KeyMisuseReporter?
    let keyUses: KeyUses
    let connections: Connections
    let now: @Sendable () -> Timestamp

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let path = request.uri.path
        guard HTTPMethods.all.contains(request.method) else { throw HTTPMethods.notAllowed(request.method) }
        if Self.openPaths.contains(path) || Self.openPathPrefixes.contains(where: path.hasPrefix) {
            return try await next(request, context)
        }
        // The router reads `//runs` as `/runs`; what decides who may enter must not see two spellings. What follows the
        // name of a tool is the tool's path, and no part of a route.
        guard !path.hasEmptyPart || EgressPath(path) != nil else { throw APIError.notFound("not found") }
        var context = context
        context.principal =
            if path.hasPrefix(Self.agentPathPrefix) {
                try principal(ofAgentAt: path, context)
            } else {
                try await principal(of: request, context)
            }
        if let principal = context.principal {
            context.caller = connections.authenticated(context.channel, as: principal.caller)
        }
        return try await next(request, context)
    }

    private func principal(ofAgentAt path: String, _ context: APIContext) throws(APIError) -> Principal {
        let secret = try agentSecret(path)
        guard let agentOfToken else {
            guard let key = principal(secret, context), key.role == .agent else { throw Self.unknownKey }
            return key
        }
        guard let agent = agentOfToken(secret.text) else {
            keyMisuse?.unknown(digest: secret.digest, route: context.endpointPath)
            throw APIError.notSignedIn("the address has no token of a running agent")
        }
        return Principal(agent) { _ in
            agentOfToken(secret.text) == agent ? .granted(until: AccessDeadline()) : .ended
        }
    }

    private func principal(of request: Request, _ context: APIContext) async throws -> Principal {
        switch try credentials(request) {
        case .apiKey(let secret): return try known(secret, context)
        case .token(let text):
            // Keys of other platforms may look like tokens.
            if let key = APIKeySecret(text).flatMap({ principal($0, context) }) { return key }
            return try await TokenSignIn(identities, request, context).principal(text)
        case .both(let secret, let token):
            let key = try known(secret, context)
            guard TokenSignIn.isInvoke(context) else {
                throw APIError.notSignedIn(
                    "an API key and a person's token came together, as they may where an agent is invoked: send one")
            }
            return try await TokenSignIn(identities, request, context).principal(key, for: token)
        }
    }

    private func known(_ secret: APIKeySecret, _ context: APIContext) throws(APIError) -> Principal {
        guard let key = principal(secret, context) else { throw Self.unknownKey }
        return key
    }

    /// Who has the key; `nil` for one that is not known, revoked or expired.
    private func principal(_ secret: APIKeySecret, _ context: APIContext) -> Principal? {
        let digest = secret.digest
        guard let key = projections.apiKey(digest: digest) else {
            keyMisuse?.unknown(digest: digest, route: context.endpointPath)
            return nil
        }
        let time = now()
        guard key.accepts(digest, at: time) else {
            keyMisuse?.report(
                key.id.description, name: key.name, role: key.role, key.workspace,
                digest == key.digest ? .expired : .replaced, route: context.endpointPath)
            return nil
        }
        // A key that was revoked meanwhile is forgotten already.
        if keyUses.note(key.id, at: time), projections.apiKey(digest: digest) == nil { keyUses.forget(key.id) }
        return Principal(
            caller: .apiKey(key.id), name: key.name, role: key.role, workspace: key.workspace, groups: key.groups,
            agent: key.agent
        ) { [projections] now in
            guard let key = projections.apiKey(digest: digest), key.accepts(digest, at: now.time) else { return .ended }
            return .granted(until: AccessDeadline(time: key.end(of: digest)))
        }
    }

    private static var unknownKey: APIError { .notSignedIn("the API key is not known, revoked or expired") }

    /// The key of an agent's address: empty, when the path is none or has no key.
    static func agentKey(_ path: some StringProtocol) -> String {
        guard path.utf8.starts(with: agentPathPrefix.utf8) else { return "" }
        let rest = path.utf8.dropFirst(agentPathPrefix.utf8.count)
        return String(decoding: rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }, as: UTF8.self)
    }

    private func agentSecret(_ path: String) throws(APIError) -> APIKeySecret {
        guard let secret = APIKeySecret(Self.agentKey(path)) else {
            throw .notSignedIn("the address has no agent's key")
        }
        return secret
    }

    private func credentials(_ request: Request) throws(APIError) -> Credentials {
        do throws(Credentials.Failure) {
            let (key, providerStyle) = (request.headers[.apiKey], request.headers[.providerStyleAPIKey])
            if let key, let providerStyle, key != providerStyle { throw .contradicting }
            let authorization = request.headers[.authorization]
            // Azure's clients send it, and no other key with it; elsewhere it may be any other service's.
            let isOfAzure = authorization == nil && request.uri.path.hasPrefix(Self.azurePathPrefix)
            return try Credentials(
                authorization: authorization,
                apiKeyHeader: key ?? providerStyle ?? (isOfAzure ? request.headers[.azureStyleAPIKey] : nil))
        } catch {
            switch error {
            case .missing:
                throw .notSignedIn(
                    "an API key is required: send Authorization: Bearer <key> or X-RunAgents-API-Key: <key>")
            case .contradicting: throw .notSignedIn("the two API key headers carry different keys")
            case .malformed: throw .notSignedIn("the API key is malformed: send it whole, without quotes or blanks")
            }
        }
    }
}

extension Principal {
    /// An agent by its instance's token. Its id is made of its name, so that all its instances are one.
    fileprivate init(_ agent: AgentIdentity, access: @escaping @Sendable (AccessTime) -> AccessStanding) {
        let id = SHA256.hash(data: Array("\(agent.workspace)/\(agent.name)".utf8)).withUnsafeBytes {
            UUIDValue(bytes: UnsafeRawBufferPointer(rebasing: $0[..<16]))
        }
        guard let id else { preconditionFailure("SHA-256 has 32 bytes") }
        self.init(
            caller: .apiKey(APIKeyID(id)), name: agent.name, role: .agent, workspace: agent.workspace, groups: [],
            agent: agent.name, access: access)
        isManagedAgent = true
    }
}

extension String {
    /// Whether two slashes follow each other.
    fileprivate var hasEmptyPart: Bool {
        let slash = UInt8(ascii: "/")
        var previous: UInt8 = 0
        for byte in utf8 {
            if byte == slash, previous == slash { return true }
            previous = byte
        }
        return false
    }
}
