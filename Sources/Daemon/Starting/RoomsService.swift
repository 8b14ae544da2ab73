import HTTPAPI
import ServiceLifecycle
import Synchronization

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
