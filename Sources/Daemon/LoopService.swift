import ServiceLifecycle

/// A long-lived loop of a room, ended when the group shuts down.
struct LoopService: Service {
    let body: @Sendable () async throws -> Void

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await body() }
        } catch is CancellationError {
            // Its end was asked for: whichever wait of the loop noticed first, it has ended in order.
        }
    }
}

/// Runs to its own end at a graceful shutdown.
struct DrainingService: Service {
    let body: @Sendable () async throws -> Void

    func run() async throws { try await body() }
}
