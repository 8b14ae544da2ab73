import Domain
import HTTPTypes
import Synchronization

/// The schemas of all bodies, by method and path. They are those of the API's own description, so that a member is known
/// exactly when it is described.
struct BodySchemas: Sendable {
    private static let all = BodySchemas(APIReference.parsed())

    /// The same once they are read: nothing but strict handling waits for that after a start.
    static var ready: BodySchemas? { prepared.withLock { $0 } }

    private static let prepared = Mutex<BodySchemas?>(nil)

    /// A method and a path, without the names of its parameters: these differ between the document and the route table.
    struct Route: Hashable, Sendable {
        let method: HTTPRequest.Method
        private let parts: [String]

        init(_ method: HTTPRequest.Method, _ path: String) {
            self.method = method
            // The rest of a path is one parameter of the document's.
            parts = path.split(separator: "/").map { part in
                part == "**" || part.first == ":" || part.first == "{" ? "*" : String(part)
            }
        }
    }

    private var schemas: [Route: BodySchema] = [:]

    /// - Parameter document: an OpenAPI document.
    init(_ document: JSONValue) {
        func resolve(_ reference: String) -> JSONValue? {
            reference.split(separator: "/").dropFirst().reduce(document as JSONValue?) { $0?[String($1)] }
        }
        guard case .object(let paths)? = document["paths"] else { return }
        for path in paths {
            guard case .object(let operations) = path.value else { continue }
            for operation in operations {
                guard let schema = operation.value["requestBody"]?["content"]?["application/json"]?["schema"] else {
                    continue
                }
                guard let method = HTTPRequest.Method(rawValue: operation.name.uppercased()) else { continue }
                schemas[Route(method, path.name)] = BodySchema(schema, resolve).ofWholeBody
            }
        }
    }

    /// Reads them, which takes a while for the first time.
    @discardableResult
    static func prepare() -> BodySchemas {
        let schemas = all
        prepared.withLock { $0 = schemas }
        return schemas
    }

    /// The unknown members of a body for a route.
    func unknownMembers(in body: JSONValue, _ route: Route) -> [BodySchema.UnknownMember] {
        schemas[route]?.unknownMembers(inBody: body) ?? []
    }
}

extension BodySchema.UnknownMember {
    var warning: String { "unknown member \(place) is ignored: known are \(known.joined(separator: ", "))" }
}

extension APIHandlers {
    /// Runs the handler. Unknown members of the body are warnings in its answer, or a 400 for a client that wants strict
    /// handling (RFC 7240, section 4.4).
    func answer(
        _ request: APIRequest, _ route: BodySchemas.Route, _ handler: RouteTable.Handler
    ) async throws -> APIAnswer {
        guard route.method != .get else { return try await answer(request, handler) }
        let schemas = request.wantsStrictHandling ? BodySchemas.prepare() : BodySchemas.ready
        let unknown =
            request.body == .object([]) ? [] : schemas?.unknownMembers(in: request.body, route) ?? []
        guard request.wantsStrictHandling else {
            var answer = try await answer(request, handler)
            answer.add(warnings: unknown.map(\.warning))
            return answer
        }
        if let first = unknown.first {
            let others = unknown.dropFirst().map(\.place)
            var error = APIError.badRequest(
                "unknown member \(first.place): known are \(first.known.joined(separator: ", "))"
                    + (others.isEmpty ? "" : "; unknown too: \(others.joined(separator: ", "))"))
            error.headers[.preferenceApplied] = APIRequest.strictHandling
            throw error
        }
        var answer = try await answer(request, handler)
        answer.headers[.preferenceApplied] = APIRequest.strictHandling
        return answer
    }
}

extension APIAnswer {
    /// Adds to the `warnings` of an answer that is an object.
    fileprivate mutating func add(warnings: [String]) {
        guard !warnings.isEmpty, var value = Optional(body.value), case .object = value else { return }
        var all: [JSONValue] = []
        if case .array(let earlier)? = value["warnings"] { all = earlier }
        value.set("warnings", .array(all + warnings.map(JSONValue.string)))
        body = value.text
    }
}
