import Projections
import HTTPAPI
import ServiceLifecycle
import Synchronization

/// A long-lived loop of a room, ended when the group shuts down.
struct LoopService: Service {
    let body: @Sendable () async throws -> Void

    func run() async throws {
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

/// Runs the rooms. When they fail, the listener shuts down in order, and the failure is thrown after that.
final class RoomsService: Service {
    private let progress: StartProgress
    private let body: @Sendable () async throws -> Void
    private let failure = Mutex<(any Error)?>(nil)

    init(_ progress: StartProgress, body: @escaping @Sendable () async throws -> Void) {
        self.progress = progress
        self.body = body
    }

    func run() async throws {
        do {
            try await body()
        } catch is CancellationError where Task.isShuttingDownGracefully {
            // The start was interrupted.
        } catch {
            progress.fail()
            failure.withLock { $0 = error }
        }
    }

    /// Throws the failure of the rooms, if there was one.
    func check() throws {
        if let error = failure.withLock({ $0 }) { throw error }
    }
}
