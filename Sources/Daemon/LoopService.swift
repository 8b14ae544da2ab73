import Projections
import ServiceLifecycle

/// A long-lived loop of a room, ended when the group shuts down.
package struct LoopService: Service {
    /// The name in errors.
    let name: String
    private let body: @Sendable () async throws -> Void

    package init(_ name: String, body: @escaping @Sendable () async throws -> Void) {
        self.name = name
        self.body = body
    }

    package func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await body() }
        } catch is CancellationError {
            // Its end was asked for: whichever wait of the loop noticed first, it has ended in order.
        } catch let error as ProjectionError where error.code == .stopped && Task.isShuttingDownGracefully {
            // The same, in a wait for the read models.
        }
    }
}

/// Runs to its own end at a graceful shutdown, but no longer than it is given for that: a client that reads nothing may
/// not hold up the stop.
struct DrainingService: Service {
    let drainTimeout: Duration
    let body: @Sendable () async throws -> Void

    func run() async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { try await body() }
            group.addTask {
                do {
                    try await gracefulShutdown()
                    try await Task.sleep(for: drainTimeout)
                } catch is CancellationError {
                    // The body came to its end first.
                }
            }
            defer { group.cancelAll() }
            do {
                try await group.next()
            } catch is CancellationError {
                // What was still open has been broken off.
            }
        }
    }
}
