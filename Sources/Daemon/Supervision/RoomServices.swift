package import Logging
import ServiceLifecycle
import Synchronization
import UnixSignals

/// The services of the rooms: they start together, run until a shutdown, and end from the last to the first.
///
/// One that ends by itself leaves the daemon without a part of its work, so it ends all others in order, and the daemon
/// with them.
package struct RoomServices: Sendable {
    /// A service that notes its own end.
    private struct WatchedService: Service {
        let service: LoopService
        let ended: EndedService

        func run() async throws {
            try await service.run()
            if !Task.isShuttingDownGracefully { ended.note(service.name) }
        }
    }

    private let services: [LoopService]
    private let logger: Logger

    package init(_ services: [LoopService], logger: Logger) {
        self.services = services
        self.logger = logger
    }

    /// Runs the services until a graceful shutdown of the current task.
    ///
    /// - Throws: the first error of a service; `DaemonError` of code `service_ended` when one ended without one.
    package func run() async throws {
        let ended = EndedService()
        try await ServiceGroup(
            of: services.map { WatchedService(service: $0, ended: ended) }, logger: logger
        ).run()
        guard Task.isShuttingDownGracefully else {
            throw DaemonError(
                .serviceEnded,
                "the service \"\(ended.name ?? "unknown")\" ended although no shutdown was asked for; "
                    + "start the daemon again, and report it with the log")
        }
    }
}

/// The first service that ended by itself.
private final class EndedService: Sendable {
    private let first = Mutex<String?>(nil)

    var name: String? { first.withLock { $0 } }

    func note(_ name: String) { first.withLock { $0 = $0 ?? name } }
}

extension ServiceGroup {
    /// A group that shuts down in order when a service ends, and is cancelled when one fails.
    init(of services: [any Service], signals: [UnixSignal] = [], logger: Logger) {
        self.init(
            configuration: ServiceGroupConfiguration(
                services: services.map {
                    .init(
                        service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .cancelGroup)
                }, gracefulShutdownSignals: signals, logger: logger))
    }
}
