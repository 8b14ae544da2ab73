import Authentication
import CommandHandling
import Domain
import EventStreaming
import Gateways
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Projections
import Secrets

/// What all routes share: reading requests, idempotent answers, and the rooms below.
final class APIHandlers: Sendable {
    let commands: CommandHandler
    private let live: Projections
    let vault: SecretVault
    let dependencies: HTTPAPIDependencies
    let configuration: HTTPAPIConfiguration
    let streams: SharePool<Actor.Kind>
    /// The whole lists, histories and exports that are being sent.
    let lists: SharePool<Actor.Kind>
    /// The bytes of responses that wait for their clients.
    let responseBytes: SharePool<Actor.Kind>
    let requests: SharePool<Actor.Kind>
    /// The answers about the past that are being given.
    let pasts: SharePool<Actor.Kind>
    let backtests = SharePool<Actor.Kind>(ShareRule(total: 1))
    let hub: StreamHub
    /// The API's document, as it is served.
    let reference: JSONText
    private let bodyBytes: SharePool<Actor.Kind>

    init(_ dependencies: HTTPAPIDependencies, _ configuration: HTTPAPIConfiguration, _ hub: StreamHub) {
        commands = dependencies.commands
        live = dependencies.projections
        vault = dependencies.vault
        self.dependencies = dependencies
        self.hub = hub
        self.configuration = configuration
        reference = APIReference.json(under: configuration.basePath)
        let percent = configuration.principalSharePercent
        streams = SharePool(ShareRule(total: configuration.streamsMax, percent: percent))
        lists = SharePool(ShareRule(total: configuration.listsMax, percent: percent))
        responseBytes = SharePool(ShareRule(total: configuration.responseBytesMax, percent: percent))
        requests = SharePool(ShareRule(total: configuration.connectionsMax, percent: percent))
        pasts = SharePool(ShareRule(total: dependencies.history.modelsMax, percent: percent))
        bodyBytes = SharePool(ShareRule(total: configuration.allBodiesBytesMax, percent: percent))
    }

    /// What is read from: the read models as they are, or as they were where the request asks for that.
    var projections: Projections { PointInTime.current?.projections ?? live }

    /// The time that an answer is of.
    var now: Timestamp { PointInTime.current?.time ?? commands.clock.now() }

    /// Checks the role, reads the body and finds the workspace: nobody without the role makes the server read.
    func read(
        _ request: Request, _ context: APIContext, _ permission: Permission, _ limits: BodyLimits,
        _ query: QueryParameters, _ reads: RequestReads, naming entity: IdentifiedEntity? = nil
    ) async throws -> APIRequest {
        let principal = try permitted(context, permission)
        let bytes = try await text(of: request, context, upTo: limits.bytesMax ?? configuration.bodyBytesMax)
        let hasLines = limits.takesLines && request.headers.saysLines
        let repairs = permission.repairs
        let body = hasLines ? try BodyParsing.lines(bytes, repairs) : try BodyParsing.object(bytes, repairs)
        guard permission.isOfRuns || !body.containsNUL else {
            throw APIError.badRequest("the body must not contain the character NUL")
        }
        var workspace = try workspace(request, context, principal, body)
        if let entity, principal.mayChooseWorkspace, try namedWorkspace(request, context, body) == nil {
            workspace = try self.workspace(of: entity, context, body) ?? workspace
        }
        guard principal.endUser.map({ $0.workspace == workspace }) ?? true else {
            throw APIError(.forbidden, .forbidden, "the token is of another workspace's identity provider")
        }
        return APIRequest(
            request, context, principal: principal, workspace: workspace, body: body,
            idempotency: try idempotency(request, principal, bytes), query, reads)
    }

    /// Who asks, when its role is allowed to.
    func permitted(_ context: APIContext, _ permission: Permission) throws(APIError) -> Principal {
        guard let principal = context.principal else {
            throw APIError(.unauthorized, .unauthorized, "an API key is required")
        }
        guard permission.isGranted(to: principal) else {
            if case .apiKey(let id) = principal.caller, let role = principal.role {
                dependencies.keyMisuse?.report(
                    id.description, name: principal.name, role: role, principal.workspace, .role,
                    route: context.endpointPath)
            }
            throw Self.notPermitted(principal, permission)
        }
        return principal
    }

    static func notPermitted(_ principal: Principal, _ permission: Permission) -> APIError {
        guard let role = principal.role else {
            return APIError(
                .forbidden, .forbidden,
                "this token proves who invokes an agent and allows nothing else: send an API key, or give its identity "
                    + "provider a spec.role")
        }
        let who = if case .person = principal.caller { "a person" } else { "a key" }
        let roles = permission.roles.map(\.rawValue).joined(separator: " or ")
        let hint = permission.hint.map { ": \($0)" } ?? ": it needs role \(roles)"
        return APIError(.forbidden, .forbidden, "\(who) of role \(role.rawValue) may not do this\(hint)")
    }

    /// Executes the command and waits until reads show what it did.
    func execute(_ command: Command, _ request: APIRequest) async throws -> Receipt {
        let receipt = try await submit(command, request.commandRequest)
        try await projections.reach(receipt.position)
        try await destroyObsoleteKeys(receipt)
        return receipt
    }

    /// Executes the command, unless reads would not show its effect: it is refused before it is recorded, and the client
    /// retries.
    ///
    /// Commands that end work are executed all the same, because a second time changes nothing.
    func submit(_ command: Command, _ request: CommandRequest) async throws -> Receipt {
        if !command.endsWork, let failure = projections.failure { throw failure }
        return try await commands.execute(command, request)
    }

    /// The workspace that the path, the header or the body names, when the key may enter it.
    func workspace(
        _ request: Request, _ context: APIContext, _ principal: Principal, _ body: JSONValue
    ) throws -> WorkspaceName {
        guard let text = try namedWorkspace(request, context, body) else { return principal.workspace }
        guard let workspace = WorkspaceName(text) else {
            throw APIError.badRequest("the workspace's name is not valid")
        }
        guard workspace == principal.workspace || principal.mayChooseWorkspace else {
            throw APIError(.forbidden, .forbidden, "this key belongs to another workspace")
        }
        return workspace
    }

    /// The name of the workspace that the request names; `nil` when it names none.
    private func namedWorkspace(
        _ request: Request, _ context: APIContext, _ body: JSONValue
    ) throws(APIError) -> String? {
        let inBody = try body.text("namespace")?.chosenNamespace
        return context.parameters.get("workspace") ?? request.headers.workspaceNamespace ?? inBody
    }

    /// Reads a body that is text, in UTF-8 and without a content coding. A byte order mark before it is left out (RFC 8259,
    /// section 8.1).
    func text(of request: Request, _ context: APIContext, upTo limit: Int) async throws -> [UInt8] {
        let coding = request.headers[.contentEncoding] ?? ""
        guard coding.isEmpty || coding.lowercased() == "identity" else {
            var error = APIError(
                .unsupportedMediaType, .contentEncodingNotSupported,
                "the body must be sent as it is: leave out Content-Encoding and the compression")
            error.headers[.acceptEncoding] = "identity"
            throw error
        }
        let bytes = try await bytes(of: request, context, upTo: limit)
        guard !bytes.starts(with: [0xff, 0xfe]), !bytes.starts(with: [0xfe, 0xff]) else {
            throw APIError.badRequest("the body is in UTF-16: send it in UTF-8")
        }
        let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]
        return bytes.starts(with: byteOrderMark) ? Array(bytes.dropFirst(byteOrderMark.count)) : bytes
    }

    /// Reads the body. Its bytes count to the principal's share of all bodies until the request is answered. The key of an
    /// agent's address is redacted from it.
    func bytes(of request: Request, _ context: APIContext, upTo limit: Int) async throws -> [UInt8] {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
            throw Self.bodyTooLarge(limit)
        }
        guard request.announcesBody else { return [] }
        if request.headers[.expect] != nil { ExchangeHandler.proceed(context.channel) }
        var bytes: [UInt8] = []
        do {
            let permit = try bodyBytes.take(0, for: context.principal?.caller ?? .system)
            context.holdings?.keep(body: permit)
            for try await part in request.body {
                guard bytes.count + part.readableBytes <= limit else { throw Self.bodyTooLarge(limit) }
                try permit.grow(by: part.readableBytes)
                bytes += part.readableBytesView
            }
        } catch let refusal as ShareRefusal {
            guard refusal == .shareExceeded else { throw APIError(CommandError.overloaded) }
            throw APIError(refusal, of: "bytes in request bodies", code: .tooManyRequests)
        } catch let error where error is APIError || error is CancellationError {
            throw error
        } catch {
            // The client has gone away, or was cut off, in the middle of it: nobody reads this answer.
            throw APIError.badRequest("the request body did not arrive whole")
        }
        return KeyRedactor(request)?.redacted(bytes) ?? bytes
    }

    private static func bodyTooLarge(_ limit: Int) -> APIError {
        APIError(.contentTooLarge, .bodyTooLarge, "the request body is larger than \(limit) bytes")
    }

    private func idempotency(
        _ request: Request, _ principal: Principal, _ body: [UInt8]
    ) throws -> IdempotencyToken? {
        guard request.method == .post, let key = request.headers[.idempotencyKey] else { return nil }
        guard (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw APIError.badRequest("Idempotency-Key must be 1 to 255 visible ASCII characters")
        }
        return idempotency(key: key, of: principal, "\(request.uri.path)\n", body)
    }

    /// The token of a key that the principal sent with that body; `place` says where to.
    func idempotency(
        key: String, of principal: Principal, _ place: String, _ body: [UInt8]
    ) -> IdempotencyToken {
        let request = fingerprint("\(principal.scope)\n\(place)", body)
        // A key that acts for many people is one principal.
        let scope = fingerprint("idempotency scope\n\(principal.callerScope)", [])
        return IdempotencyToken(
            key: key, fingerprint: UUIDValue(high: scope.high, low: request.high), earlierFingerprint: request)
    }

    /// Keyed: a plain digest of a body with a short secret in it would be a way to guess that.
    private func fingerprint(_ context: String, _ body: [UInt8]) -> UUIDValue {
        let digest = vault.fingerprint(Array(context.utf8), body)
        let fingerprint = digest.withUnsafeBytes { UUIDValue(bytes: UnsafeRawBufferPointer(rebasing: $0[..<16])) }
        guard let fingerprint else { preconditionFailure("a fingerprint has 32 bytes") }
        return fingerprint
    }
}

extension Request {
    /// Whether there is a body to wait for (RFC 9112, section 6.3).
    fileprivate var announcesBody: Bool { headers[.contentLength] != nil || headers[.transferEncoding] != nil }
}

extension HTTPFields {
    /// The workspace that the header chooses.
    var workspaceNamespace: String? { self[.workspaceNamespace]?.chosenNamespace }
}

extension String {
    /// Old clients send `default` when nobody chose a namespace.
    fileprivate var chosenNamespace: String? { self == "default" || isEmpty ? nil : self }
}
