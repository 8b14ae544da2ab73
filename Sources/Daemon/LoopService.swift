import ServiceLifecycle

/// A long-lived loop of a room, ended when the group shuts down.
struct LoopService: Service {
    let body: @Sendable () async throws -> Void

    func run() async throws {
        try await cancelWhenGracefulShutdown { try await body() }
    }
}

/// Runs to its own end at a graceful shutdown.
struct DrainingService: Service {
    let body: @Sendable () async throws -> Void

    func run() async throws { try await body() }
}
