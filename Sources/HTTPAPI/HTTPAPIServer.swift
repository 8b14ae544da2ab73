#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import CommandHandling
import Domain
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore

/// The HTTP server: middlewares, routes and limits.
package enum HTTPAPIServer {
    /// Serves until a graceful shutdown, then answers what was begun; event streams end at once.
    ///
    /// - Parameters:
    ///   - onGateRunning: called once the gate's socket, when there is one, takes connections.
    ///   - onRunning: called once the address is bound.
    package static func run(
        _ dependencies: HTTPAPIDependencies, _ configuration: HTTPAPIConfiguration, logger: Logger,
        onGateRunning: @escaping @Sendable () async -> Void = {},
        onRunning: @escaping @Sendable (Int?) async -> Void
    ) async throws {
        let hub = StreamHub(dependencies.streamer)
        let api = APIHandlers(dependencies, configuration, hub)
        let connections = Connections(
            total: configuration.connectionsMax, sharePercent: configuration.principalSharePercent)
        let application = application(
            router(api, connections), configuration, .hostname(configuration.host, port: configuration.port), logger,
            connections
        ) { channel in await onRunning(channel.localAddress?.port) }
        // Not a service of the application: that one is shut down once no connection is left, and streams would wait for it.
        try await withThrowingTaskGroup { group in
            group.addTask { await hub.run() }
            group.addTask { BodySchemas.prepare() }
            defer { group.cancelAll() }
            try await serve(application, gate(api, configuration, logger, onGateRunning))
        }
    }

    /// Serves both, the gate for no longer than the API.
    private static func serve(
        _ application: some ApplicationProtocol, _ gate: (some ApplicationProtocol)?
    ) async throws {
        guard let gate else { return try await application.run() }
        try await withThrowingTaskGroup { group in
            group.addTask { try await gate.run() }
            group.addTask { try await application.run() }
            try await group.next()
            try await group.waitForAll()
        }
    }

    private static func gate(
        _ api: APIHandlers, _ configuration: HTTPAPIConfiguration, _ logger: Logger,
        _ onRunning: @escaping @Sendable () async -> Void
    ) -> (some ApplicationProtocol)? {
        configuration.gateSocket.map { path in
            let connections = Connections(
                total: configuration.connectionsMax, sharePercent: configuration.principalSharePercent,
                peerMax: configuration.agentConnectionsMax)
            return application(
                router(api, connections, isGate: true), configuration, .unixDomainSocket(path: path), logger,
                connections
            ) { _ in
                // For agents that run as nobody; on the host only the directory's owner gets to it.
                chmod(path, 0o666)
                await onRunning()
            }
        }
    }

    private static func application(
        _ router: Router<APIContext>, _ configuration: HTTPAPIConfiguration, _ address: BindAddress, _ logger: Logger,
        _ connections: Connections, onRunning: @escaping @Sendable (any Channel) async -> Void
    ) -> some ApplicationProtocol {
        Application(
            responder: BasePathResponder(configuration.basePath, router.buildResponder()),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: handlers(configuration, connections),
                    idleTimeout: TimeAmount(configuration.idleTimeout),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 32 * 1024, maxHeaderListSize: 64 * 1024, maxHeaderFieldCount: 100))),
            configuration: ApplicationConfiguration(
                address: address, serverName: "sluice", backlog: 1024,
                availableConnectionsDelegate: MaximumAvailableConnections(configuration.connectionsMax)),
            onServerRunning: onRunning,
            logger: logger)
    }

    private static func handlers(
        _ configuration: HTTPAPIConfiguration, _ connections: Connections
    ) -> [any RemovableChannelHandler] {
        [
            ConnectionAdmission(connections, headTimeout: TimeAmount(configuration.headTimeout)),
            ExchangeHandlerInstaller(bytesDiscardedMax: configuration.bytesDiscardedMax), ReceiveBufferLimit(),
            SendBufferLimit(), StreamDeparture(), RequestBodyDeadline(TimeAmount(configuration.bodyTimeout)),
            AnswerDeadline(TimeAmount(configuration.answerTimeout)), MalformedRequestAnswer(),
        ]
    }

    private static func router(
        _ api: APIHandlers, _ connections: Connections, isGate: Bool = false
    ) -> Router<APIContext> {
        let (dependencies, configuration) = (api.dependencies, api.configuration)
        let commands = dependencies.commands
        let router = Router(context: APIContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: NoSniffMiddleware())
        router.add(middleware: AgentKeyRedactionMiddleware())
        // Outside of what makes responses of errors, which a page may read too.
        if !isGate, !configuration.corsOrigins.isEmpty {
            router.add(middleware: CrossOriginMiddleware(origins: configuration.corsOrigins))
        }
        router.add(
            middleware: ObservabilityMiddleware(newRequestID: {
                "req-\(commands.newID() as Identifier<EventEntity>)"
            }))
        if isGate { router.add(middleware: GateMiddleware()) }
        router.add(
            middleware: AuthenticationMiddleware(
                projections: dependencies.projections, identities: dependencies.identities,
                agentOfToken: isGate ? dependencies.agentOfToken : nil, keyMisuse: dependencies.keyMisuse,
                connections: connections,
                now: { commands.clock.now() }))
        if isGate { router.add(middleware: AttributionMiddleware(invokesOfToken: dependencies.invokesOfToken)) }
        router.add(middleware: ShareMiddleware(requests: api.requests))
        if configuration.rateLimitPerSecond > 0 {
            router.add(
                middleware: RateLimitMiddleware(
                    perSecond: configuration.rateLimitPerSecond, burst: configuration.rateLimitBurst,
                    now: { commands.clock.now() }))
        }
        var table = RouteTable(router, api)
        // The gate has the routes of an agent's address and the health check, and no other.
        if isGate {
            table.addAgentRoutes(api)
            table.onOpen("/healthz") { api.health() }
        } else {
            table.addAll(api, configuration)
        }
        table.finish()
        return router
    }
}
