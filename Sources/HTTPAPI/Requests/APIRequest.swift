import CommandHandling
import Domain
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// A request as a route sees it: who, where, and a checked body.
struct APIRequest: Sendable {
    let principal: Principal
    let workspace: WorkspaceName
    let era: Era
    private(set) var body: JSONValue
    private(set) var idempotency: IdempotencyToken?
    let head: HTTPRequest
    /// The client's connection.
    let channel: any Channel
    private let parameters: Parameters
    /// The query parameters that came, read once: the library reads the query again each time it is asked.
    private let given: Parameters
    private let queryParameters: QueryParameters
    private let reads: RequestReads

    init(
        _ request: Request, _ context: APIContext, principal: Principal, workspace: WorkspaceName, body: JSONValue,
        idempotency: IdempotencyToken?, _ queryParameters: QueryParameters, _ reads: RequestReads
    ) {
        self.principal = principal
        self.workspace = workspace
        era = Era(path: request.uri.path)
        self.body = body
        self.idempotency = idempotency
        head = request.head
        channel = context.channel
        parameters = context.parameters
        given = request.uri.queryParameters
        self.queryParameters = queryParameters
        self.reads = reads
    }

    /// The same request with another body: a part of what was asked for.
    func with(body: JSONValue, idempotency: IdempotencyToken?) -> APIRequest {
        var request = self
        (request.body, request.idempotency) = (body, idempotency)
        return request
    }

    var traceparent: String? { head.headerFields.shortTraceparent }

    /// The command request of this HTTP request.
    var commandRequest: CommandRequest {
        CommandRequest(
            workspace: workspace, actor: principal.actor, actorGroups: principal.actorGroups,
            agent: principal.actingAgent, attemptID: head.headerFields[.requestID], idempotency: idempotency,
            traceparent: traceparent)
    }

    /// A path parameter, percent-decoded.
    func parameter(_ name: String) throws(APIError) -> String {
        guard let raw = parameters.get(name), let text = raw.percentDecoded,
            !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f })
        else { throw .badRequest("the path is not valid") }
        return text
    }

    /// The part of the path that a route catches whole, percent-decoded: a name that may have slashes in it.
    func restOfPath() throws(APIError) -> String {
        guard let text = parameters.getCatchAll().joined(separator: "/").percentDecoded, !text.isEmpty,
            !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f })
        else { throw .badRequest("the path is not valid") }
        return text
    }

    func hasParameter(_ name: String) -> Bool { parameters.get(name) != nil }

    /// A path parameter that is an id; a text that is none names nothing.
    func identifier<Entity>(
        _ name: String, orNotFound message: (String) -> String
    ) throws(APIError) -> Identifier<Entity> {
        let text = try parameter(name)
        guard let id = Identifier<Entity>(text) else { throw .notFound(message(text.excerpt)) }
        return id
    }

    func runID() throws(APIError) -> RunID { try identifier("id") { "run \($0) not found" } }

    func actionID() throws(APIError) -> ActionID { try identifier("action") { "action \($0) not found" } }

    /// A query parameter of the route's, decoded; an empty one counts as absent.
    func query(_ name: String) -> String? { values(name).first.flatMap { $0.isEmpty ? nil : $0 } }

    /// All the values of a query parameter, in lower case; empty ones count as absent.
    func queries(_ name: String) -> Set<String> {
        Set(values(name).map { $0.lowercased() }.filter { !$0.isEmpty })
    }

    /// Empty for a name that the route does not declare, so that no handler reads what `GET /routes` does not show.
    private func values(_ name: String) -> [String] {
        reads.record(query: name)
        return queryParameters.names.contains(name) ? given.getAll(name) : []
    }

    /// Refuses query parameters that the route would ignore.
    func checkQuery(_ asOf: AsOfSupport) throws(APIError) { try queryParameters.check(given, asOf) }

    /// A whole number between `range`'s bounds.
    func query(_ name: String, in range: ClosedRange<UInt64>) throws(APIError) -> UInt64? {
        guard let text = query(name) else { return nil }
        guard let value = UInt64(text), range.contains(value) else {
            throw .badRequest("\(name) must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func header(_ name: HTTPField.Name) -> String? { head.headerFields[name] }
}

extension HTTPFields {
    /// The W3C traceparent, unless it is longer than any is.
    var shortTraceparent: String? { self[.traceparent].flatMap { $0.utf8.count <= 128 ? $0 : nil } }
}

extension HTTPField.Name {
    static let traceparent = Self.named("traceparent")
    /// A `Host` beside the one that became the request's authority.
    static let furtherHost = Self.named("Host")
    static let apiKey = Self.named("X-RunAgents-API-Key")
    /// How Anthropic's SDK sends its key.
    static let providerStyleAPIKey = Self.named("x-api-key")
    /// The header in which the clients of Azure's API send their key.
    static let azureStyleAPIKey = Self.named("api-key")
    static let workspaceNamespace = Self.named("X-Workspace-Namespace")
    static let requestID = Self.named("X-Request-Id")
    static let payloadHash = Self.named("X-Payload-Hash")
    static let idempotencyKey = Self.named("Idempotency-Key")
    static let idempotencyReplayed = Self.named("Idempotency-Replayed")
    static let position = Self.named("Sluice-Position")
    static let errorCode = Self.named("Sluice-Error-Code")
    static let contentTypeOptions = Self.named("X-Content-Type-Options")
    static let lastEventID = Self.named("Last-Event-ID")
    static let link = Self.named("Link")
    static let preferenceApplied = Self.named("Preference-Applied")
    static let runID = Self.named("X-Run-ID")
    static let endUserID = Self.named("X-End-User-ID")

    private static func named(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is a field name") }
        return name
    }
}
