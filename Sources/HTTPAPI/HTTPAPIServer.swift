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
import ServiceLifecycle

/// The HTTP server: middlewares, routes and limits.
///
/// It listens before the log is read, and answers for the start until `open` gives it the API: on the same port, the same
/// connections and within the same limits.
package final class HTTPAPIServer: Sendable {
    private struct OpenedAPI {
        let api: APIHandlers
        let gateSocket: String?
        let onGateRunning: @Sendable () async -> Void
    }

    private let configuration: HTTPAPIConfiguration
    private let progress: StartProgress
    private let logger: Logger
    private let connections: Connections
    private let responder: SwitchingResponder
    private let opened: AsyncStream<OpenedAPI>
    private let opening: AsyncStream<OpenedAPI>.Continuation

    package init(_ configuration: HTTPAPIConfiguration, _ progress: StartProgress, logger: Logger) {
        self.configuration = configuration
        self.progress = progress
        self.logger = logger
        connections = Connections(
            total: configuration.connectionsMax, sharePercent: configuration.principalSharePercent)
        responder = SwitchingResponder(Self.startingRouter(progress, configuration).buildResponder())
        (opened, opening) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
    }

    /// Serves until a graceful shutdown, then answers what was begun; event streams end at once.
    ///
    /// The first failure of a listener ends all of them.
    ///
    /// - Parameter onListening: called with the port once the address is bound.
    /// - Throws: `ListenerError` when a listener cannot begin, or ends although no shutdown was asked for.
    package func run(onListening: @escaping @Sendable (Int?) async -> Void) async throws {
        let listening = ListeningChannel()
        let application = Self.application(
            responder, configuration, .hostname(configuration.host, port: configuration.port), logger, connections
        ) { channel in
            listening.begin(channel)
            await onListening(channel.localAddress?.port)
        }
        try await withThrowingTaskGroup { group in
            group.addTask {
                defer { self.opening.finish() }
                try await Self.run(application, listening, .api)
            }
            group.addTask {
                for await opened in self.opened { try await self.serve(opened) }
            }
            // `waitForAll` would await the rest before it throws.
            while try await group.next() != nil {}
        }
    }

    /// Answers every later request by the API.
    ///
    /// - Parameters:
    ///   - gateSocket: the socket where agents that Sluice runs reach it; `nil` without agents.
    ///   - onGateRunning: called once that socket takes connections.
    /// - Returns: false when the start was interrupted, and nothing is served any more.
    package func open(
        _ dependencies: HTTPAPIDependencies, gateSocket: String?, onGateRunning: @escaping @Sendable () async -> Void
    ) -> Bool {
        let api = APIHandlers(dependencies, configuration, StreamHub(dependencies.streamer))
        let router = Self.router(api, connections).buildResponder()
        guard progress.becomeReady() else { return false }
        opening.yield(OpenedAPI(api: api, gateSocket: gateSocket, onGateRunning: onGateRunning))
        responder.change(to: router)
        return true
    }

    /// Serves the gate, and runs the streams of both.
    ///
    /// The hub is no service of the application: that one is shut down once no connection is left, and streams would wait
    /// for it.
    private func serve(_ opened: OpenedAPI) async throws {
        let listening = ListeningChannel()
        let gate = opened.gateSocket.map {
            Self.gate(opened.api, $0, configuration, logger) { channel in
                listening.begin(channel)
                await opened.onGateRunning()
            }
        }
        try await withThrowingTaskGroup { group in
            group.addTask { await opened.api.hub.run() }
            group.addTask { BodySchemas.prepare() }
            if let gate { group.addTask { try await Self.run(gate, listening, .gate) } }
            while try await group.next() != nil {}
        }
    }

    /// Runs a listener until a graceful shutdown, or until its channel is closed before one.
    ///
    /// The application would first wait for its connections, which may be streams without an end.
    private static func run(
        _ application: some ApplicationProtocol, _ listening: ListeningChannel, _ listener: ListenerError.Listener
    ) async throws {
        do {
            try await withThrowingTaskGroup { group in
                group.addTask {
                    defer { listening.finish() }
                    try await application.run()
                }
                group.addTask {
                    let isClosed = await listening.closed()
                    if isClosed, !Task.isShuttingDownGracefully { throw ListenerError.ended(listener) }
                }
                while try await group.next() != nil {}
            }
        } catch let error as ListenerError {
            throw error
        } catch is CancellationError {
            throw CancellationError()
        } catch is ServiceGroupError {
            throw ListenerError.ended(listener)
        } catch {
            throw ListenerError.unusable(listener, error)
        }
    }

    private static func gate(
        _ api: APIHandlers, _ path: String, _ configuration: HTTPAPIConfiguration, _ logger: Logger,
        onRunning: @escaping @Sendable (any Channel) async -> Void
    ) -> some ApplicationProtocol {
        let connections = Connections(
            total: configuration.connectionsMax, sharePercent: configuration.principalSharePercent,
            peerMax: configuration.agentConnectionsMax)
        return application(
            router(api, connections, isGate: true).buildResponder(), configuration, .unixDomainSocket(path: path),
            logger, connections
        ) { channel in
            // For agents that run as nobody; on the host only the directory's owner gets to it.
            chmod(path, 0o666)
            await onRunning(channel)
        }
    }

    private static func application(
        _ responder: some HTTPResponder<APIContext>, _ configuration: HTTPAPIConfiguration, _ address: BindAddress,
        _ logger: Logger, _ connections: Connections, onRunning: @escaping @Sendable (any Channel) async -> Void
    ) -> some ApplicationProtocol {
        Application(
            responder: BasePathResponder(configuration.basePath, responder),
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
            ConnectionAdmission(
                connections, headTimeout: TimeAmount(configuration.headTimeout),
                bodyTimeout: TimeAmount(configuration.bodyTimeout)),
            ExchangeHandlerInstaller(bytesDiscardedMax: configuration.bytesDiscardedMax), ReceiveBufferLimit(),
            SendBufferLimit(), StreamDeparture(), AnswerDeadline(TimeAmount(configuration.answerTimeout)),
        ]
    }

    /// Answers for the start: its phase, and a refusal of everything else.
    private static func startingRouter(
        _ progress: StartProgress, _ configuration: HTTPAPIConfiguration
    ) -> Router<APIContext> {
        let identifiers = IdentifierSource(clock: SystemWallClock())
        let router = Router(context: APIContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: NoSniffMiddleware())
        router.add(middleware: AgentKeyRedactionMiddleware())
        if !configuration.corsOrigins.isEmpty {
            router.add(middleware: CrossOriginMiddleware(origins: configuration.corsOrigins))
        }
        router.add(
            middleware: ObservabilityMiddleware(newRequestID: {
                "req-\(Identifier<EventEntity>(identifiers.next()))"
            }))
        router.add(middleware: MessageRulesMiddleware())
        router.add(middleware: StartingMiddleware(progress: progress))
        router.get(RouterPath(StartingMiddleware.healthPath)) { _, _ in APIHandlers.health(configuration).response }
        router.get(RouterPath(StartingMiddleware.readinessPath)) { _, _ in progress.readiness.response }
        return router
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
        router.add(middleware: MessageRulesMiddleware())
        if isGate { router.add(middleware: GateMiddleware()) }
        router.add(
            middleware: AuthenticationMiddleware(
                projections: dependencies.projections, identities: dependencies.identities,
                agentOfToken: isGate ? dependencies.agentOfToken : nil, keyMisuse: dependencies.keyMisuse,
                keyUses: dependencies.keyUses, connections: connections,
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
