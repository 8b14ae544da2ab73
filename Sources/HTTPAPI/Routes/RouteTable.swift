import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Hummingbird
import NIOCore
import Projections

/// Puts routes under the paths of both eras, checks roles and workspaces, and answers 405 where a method is missing.
struct RouteTable {
    typealias Handler = @Sendable (APIRequest) async throws -> APIAnswer
    typealias RawHandler = @Sendable (APIRequest) async throws -> Response

    /// Where runs and approvals are found.
    static let rootPrefixes = ["", "/api", "/api/v1", "/api/v1/workspaces/:workspace"]
    /// Where everything else is found.
    static let apiPrefixes = ["/api", "/api/v1", "/api/v1/workspaces/:workspace"]

    private let router: Router<APIContext>
    private let api: APIHandlers
    private var methods: [String: [HTTPRequest.Method]] = [:]
    private var served: [ServedRoute] = []

    init(_ router: Router<APIContext>, _ api: APIHandlers) {
        self.router = router
        self.api = api
    }

    /// Adds a route whose answer is JSON.
    mutating func on(
        _ method: HTTPRequest.Method, _ path: String, under prefixes: [String], _ permission: Permission,
        body: BodyLimits = BodyLimits(), query: QueryParameters = .none, asOf: AsOfSupport = .answered,
        _ handler: @escaping Handler
    ) {
        let (api, route) = (api, BodySchemas.Route(method, path))
        onRaw(method, path, under: prefixes, permission, body: body, query: query, asOf: asOf) { request in
            let answer = try await api.answer(request, route, handler)
            return method == .get ? try api.response(answer, to: request) : answer.response
        }
    }

    /// Adds a POST that ends work, which lack of room for its `Idempotency-Key` does not keep out.
    mutating func onEnd(
        _ path: String, under prefixes: [String], _ permission: Permission, _ handler: @escaping Handler
    ) {
        let (api, route) = (api, BodySchemas.Route(.post, path))
        onRaw(.post, path, under: prefixes, permission) { request in
            try await api.answer(await api.withoutKeyIfFull(request), route, handler).response
        }
    }

    /// Adds a route that makes the whole response itself.
    mutating func onRaw(
        _ method: HTTPRequest.Method, _ path: String, under prefixes: [String], _ permission: Permission,
        body: BodyLimits = BodyLimits(), query: QueryParameters = .none, asOf: AsOfSupport = .answered,
        _ handler: @escaping RawHandler
    ) {
        let api = api
        let asOf = method == .get ? asOf : .refused
        let entity = IdentifiedEntity(path: path)
        for prefix in prefixes {
            let reads = RequestReads(method: method, path: prefix + path)
            add(method, prefix + path, permission, query, asOf) { request, context in
                let read = try await api.read(request, context, permission, body, query, reads, naming: entity)
                try read.checkQuery(asOf)
                return try await api.answering(request, for: read.principal, asOf) {
                    try await reads.ofBody { try await handler(read) }
                }
            }
        }
    }

    /// Adds a route that reads the request itself, and sees to the permission, which is `nil` where no key is needed.
    mutating func onUnread(
        _ method: HTTPRequest.Method, _ path: String, _ permission: Permission?, query: QueryParameters = .none,
        asOf: AsOfSupport = .foreign, _ handler: @escaping @Sendable (Request, APIContext) async throws -> Response
    ) {
        let api = api
        add(method, path, permission, query, asOf) { request, context in
            // Nobody without the role makes the server fold its log.
            if let permission, asOf == .answered { _ = try api.permitted(context, permission) }
            return try await api.answering(request, for: context.principal, asOf) {
                try await handler(request, context)
            }
        }
    }

    /// Adds a route that needs no key.
    mutating func onOpen(_ path: String, _ handler: @escaping @Sendable () async -> APIAnswer) {
        onUnread(.get, path, nil, asOf: .refused) { _, _ in await handler().response }
    }

    /// Adds the list of all routes, which is one of them.
    mutating func addIndex() {
        let paths = Self.apiPrefixes.map { $0 + "/routes" }
        let routes =
            served
            + paths.map {
                ServedRoute(
                    method: .get, path: $0.withNamedParameters, permission: .read, query: [], answersAsOf: false)
            }
        let index = JSONText(array: routes.map(\.json))
        on(.get, "/routes", under: Self.apiPrefixes, .read, query: [], asOf: .refused) { _ in APIAnswer(.ok, index) }
    }

    /// Answers every other method of every path with 405 and `Allow`; at an agent's address it stays 404.
    func finish() {
        for (path, known) in methods where !path.hasPrefix(AuthenticationMiddleware.agentPathPrefix) {
            let allowed = known.contains(.get) ? known + [.head] : known
            let allow = allowed.map(\.rawValue).sorted().joined(separator: ", ")
            for method in HTTPMethods.all where !allowed.contains(method) {
                router.on(RouterPath(path), method: method) { _, _ -> Response in
                    var error = APIError(
                        .methodNotAllowed, .methodNotAllowed, "method \(method.rawValue) is not allowed; use \(allow)")
                    error.headers[.allow] = allow
                    throw error
                }
            }
        }
    }

    private mutating func add(
        _ method: HTTPRequest.Method, _ path: String, _ permission: Permission?, _ query: QueryParameters,
        _ asOf: AsOfSupport, _ handler: @escaping @Sendable (Request, APIContext) async throws -> Response
    ) {
        methods[path, default: []].append(method)
        served.append(
            ServedRoute(
                method: method, path: path.withNamedParameters, permission: permission, query: query.names,
                answersAsOf: method == .get && asOf != .foreign ? asOf == .answered : nil))
        router.on(RouterPath(path), method: method, use: handler)
    }
}

extension String {
    /// `/runs/:id` as OpenAPI writes it; what catches the rest of a path is named after that.
    fileprivate var withNamedParameters: String {
        split(separator: "/", omittingEmptySubsequences: false).map { part in
            if part == "**" { "{path}" } else { part.hasPrefix(":") ? "{\(part.dropFirst())}" : String(part) }
        }.joined(separator: "/")
    }
}
