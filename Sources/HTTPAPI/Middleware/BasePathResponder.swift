import Hummingbird

/// Serves paths below a base path as if it were not there, whether or not a proxy in front takes it away.
struct BasePathResponder<Responder: HTTPResponder>: HTTPResponder {
    typealias Context = Responder.Context

    private let basePath: String
    private let responder: Responder

    /// - Parameter basePath: begins with a slash and does not end with one, or is empty.
    init(_ basePath: String, _ responder: Responder) {
        self.basePath = basePath
        self.responder = responder
    }

    func respond(to request: Request, context: Context) async throws -> Response {
        guard let target = request.head.path, let rest = Self.below(basePath, target) else {
            return try await responder.respond(to: request, context: context)
        }
        var head = request.head
        head.path = rest
        return try await responder.respond(to: Request(head: head, body: request.body), context: context)
    }

    /// The target without the base path; `nil` when it has none.
    static func below(_ basePath: String, _ target: String) -> String? {
        guard !basePath.isEmpty, target.utf8.starts(with: basePath.utf8) else { return nil }
        let rest = String(Substring(target.utf8.dropFirst(basePath.utf8.count)))
        switch rest.utf8.first {
        case UInt8(ascii: "/"): return rest
        case nil, UInt8(ascii: "?"): return "/" + rest
        default: return nil
        }
    }
}
