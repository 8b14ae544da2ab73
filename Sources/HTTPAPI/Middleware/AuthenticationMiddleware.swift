import Authentication
import Crypto
import Domain
import HTTPTypes
import Hummingbird
import Projections

/// Finds the principal of every request that is not about health.
struct AuthenticationMiddleware: RouterMiddleware {
    typealias Context = APIContext

    /// An agent that sends no key has it in its address: `/as/<key>/runs/…`.
    static let agentPathPrefix = "/as/"
    static let consentPathPrefix = "/oauth/"

    let projections: Projections
    let agentOfToken: @Sendable (String) -> AgentIdentity?
    let now: @Sendable () -> Timestamp

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        let path = request.uri.path
        if path == "/healthz" || path == "/readyz" { return try await next(request, context) }
        // People's browsers bring no key: what they were given is in the address.
        if path.hasPrefix(Self.consentPathPrefix) { return try await next(request, context) }
        guard HTTPMethods.all.contains(request.method) else {
            var error = APIError(
                .methodNotAllowed, .methodNotAllowed, "method \(request.method.rawValue.prefix(32)) is not allowed")
            error.headers[.allow] = "GET, HEAD, POST, PUT, PATCH, DELETE"
            throw error
        }
        // The router reads `//runs` as `/runs`; what decides who may enter must not see two spellings.
        guard !path.hasEmptyPart else { throw APIError.notFound("not found") }
        var context = context
        context.principal = try principal(of: request, path: path)
        return try await next(request, context)
    }

    private func principal(of request: Request, path: String) throws -> Principal {
        let isAgentPath = path.hasPrefix(Self.agentPathPrefix)
        if isAgentPath, let agent = agentOfToken(Self.agentToken(path)) { return Principal(agent) }
        let secret = isAgentPath ? try agentSecret(path) : try headerSecret(request)
        guard let key = projections.apiKey(digest: secret.digest), key.expiresAt.map({ now() < $0 }) ?? true,
            !isAgentPath || key.role == .agent
        else { throw unauthorized("the API key is not known, revoked or expired") }
        return Principal(
            keyID: key.id, name: key.name, role: key.role, workspace: key.workspace, groups: key.groups,
            agent: key.agent)
    }

    private static func agentToken(_ path: String) -> String {
        String(path.dropFirst(agentPathPrefix.count).prefix { $0 != "/" })
    }

    private func agentSecret(_ path: String) throws -> APIKeySecret {
        guard let secret = APIKeySecret(Self.agentToken(path)) else {
            throw unauthorized("the address has no agent's key")
        }
        return secret
    }

    private func headerSecret(_ request: Request) throws -> APIKeySecret {
        do {
            return try Credentials.apiKey(
                authorization: request.headers[.authorization], apiKeyHeader: request.headers[.apiKey])
        } catch {
            switch error {
            case .missing:
                throw unauthorized(
                    "an API key is required: send Authorization: Bearer <key> or X-RunAgents-API-Key: <key>")
            case .contradicting: throw unauthorized("the two API key headers carry different keys")
            case .malformed: throw unauthorized("the API key is malformed")
            }
        }
    }

    private func unauthorized(_ message: String) -> APIError {
        var error = APIError(.unauthorized, .unauthorized, message)
        error.headers[.wwwAuthenticate] = "Bearer"
        return error
    }
}

extension Principal {
    /// An agent by its instance's token. Its id is made of its name, so that all its instances are one.
    fileprivate init(_ agent: AgentIdentity) {
        let id = SHA256.hash(data: Array("\(agent.workspace)/\(agent.name)".utf8)).withUnsafeBytes {
            UUIDValue(bytes: UnsafeRawBufferPointer(rebasing: $0[..<16]))
        }
        guard let id else { preconditionFailure("SHA-256 has 32 bytes") }
        self.init(
            keyID: APIKeyID(id), name: agent.name, role: .agent, workspace: agent.workspace, groups: [],
            agent: agent.name)
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
