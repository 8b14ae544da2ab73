import Authentication
import Gateways
import HTTPTypes
import Hummingbird

/// Redacts the key of an agent's address from the rest of its request: path, query and headers here, the body where it
/// is read (`APIHandlers.bytes`).
///
/// An agent's code quotes its own address, in prompts, messages and calls of tools. Because this is done on entry, the
/// request that is judged, hashed, recorded and sent is the redacted one.
struct AgentKeyRedactionMiddleware: RouterMiddleware {
    typealias Context = APIContext

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        try await next(Self.redacted(request), context)
    }

    private static func redacted(_ request: Request) -> Request {
        guard let redactor = KeyRedactor(request), let target = request.head.path else { return request }
        let addressCount = AuthenticationMiddleware.agentPathPrefix.utf8.count + redactor.key.utf8.count
        let rest = redactor.redacted(String(Substring(target.utf8.dropFirst(addressCount))))
        let isInFields = request.head.headerFields.contains {
            redactor.finds(in: $0.value) || redactor.finds(in: $0.name.rawName)
        }
        guard rest != nil || isInFields else { return request }
        var head = request.head
        if let rest { head.path = Substring(target.utf8.prefix(addressCount)) + rest }
        head.headerFields = redacted(head.headerFields, redactor)
        return Request(head: head, body: request.body)
    }

    private static func redacted(_ fields: HTTPFields, _ redactor: KeyRedactor) -> HTTPFields {
        var redacted = HTTPFields()
        for field in fields where !redactor.finds(in: field.name.rawName) {
            redacted.append(redactor.redacted(field.value).map { HTTPField(name: field.name, value: $0) } ?? field)
        }
        return redacted
    }
}

extension KeyRedactor {
    /// `nil` for a request whose address has no key.
    init?(_ request: Request) {
        let key = AuthenticationMiddleware.agentKey(request.head.path ?? "")
        guard let secret = APIKeySecret(key) else { return nil }
        self.init(secret.text)
    }
}
