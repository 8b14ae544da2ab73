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
    /// - Parameter onRunning: called once the address is bound.
    package static func run(
        _ dependencies: HTTPAPIDependencies, _ configuration: HTTPAPIConfiguration, logger: Logger,
        onRunning: @escaping @Sendable (Int?) async -> Void
    ) async throws {
        let hub = StreamHub(dependencies.streamer)
        let application = Application(
            router: router(dependencies, configuration, hub),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [
                        RequestBodyDeadline(TimeAmount(configuration.bodyTimeout)),
                        AnswerDeadline(TimeAmount(configuration.answerTimeout)),
                    ],
                    idleTimeout: TimeAmount(configuration.idleTimeout),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 16 * 1024, maxHeaderListSize: 64 * 1024, maxHeaderFieldCount: 100))),
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port), serverName: "sluice", backlog: 1024,
                availableConnectionsDelegate: MaximumAvailableConnections(configuration.connectionsMax)),
            onServerRunning: { channel in await onRunning(channel.localAddress?.port) },
            logger: logger)
        // Not a service of the application: that one is shut down once no connection is left, and streams would wait for it.
        try await withThrowingTaskGroup { group in
            group.addTask { await hub.run() }
            defer { group.cancelAll() }
            try await application.run()
        }
    }

    private static func router(
        _ dependencies: HTTPAPIDependencies, _ configuration: HTTPAPIConfiguration, _ hub: StreamHub
    ) -> Router<APIContext> {
        let commands = dependencies.commands
        let router = Router(context: APIContext.self, options: .autoGenerateHeadEndpoints)
        router.add(
            middleware: ObservabilityMiddleware(newRequestID: {
                "req-\(commands.newID() as Identifier<EventEntity>)"
            }))
        router.add(
            middleware: AuthenticationMiddleware(
                projections: dependencies.projections, now: { commands.clock.now() }))
        router.add(
            middleware: RateLimitMiddleware(
                perSecond: configuration.rateLimitPerSecond, burst: configuration.rateLimitBurst,
                now: { commands.clock.now() }))
        let api = APIHandlers(dependencies, configuration, hub)
        var table = RouteTable(router, api)
        table.addAll(api, configuration)
        table.finish()
        return router
    }
}
