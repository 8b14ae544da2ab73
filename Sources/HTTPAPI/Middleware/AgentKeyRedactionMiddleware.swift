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
        var (head, isRedacted) = (request.head, false)
        let addressCount = AuthenticationMiddleware.agentPathPrefix.utf8.count + redactor.key.utf8.count
        if let rest = redactor.redacted(String(Substring(target.utf8.dropFirst(addressCount)))) {
            (head.path, isRedacted) = (Substring(target.utf8.prefix(addressCount)) + rest, true)
        }
        var fields = HTTPFields()
        for field in head.headerFields {
            guard redactor.redacted(field.name.rawName) == nil else {
                isRedacted = true
                continue
            }
            let value = redactor.redacted(field.value)
            isRedacted = isRedacted || value != nil
            fields.append(value.map { HTTPField(name: field.name, value: $0) } ?? field)
        }
        guard isRedacted else { return request }
        head.headerFields = fields
        return Request(head: head, body: request.body)
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
