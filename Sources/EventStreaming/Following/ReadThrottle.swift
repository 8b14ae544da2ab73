import EventStore
import Synchronization

/// Limits the processor time of long reads: whole lists, histories, exports, and streams that catch up from the log.
///
/// One of them works at a time, for one chunk, in order of arrival; the next one begins after a pause as long as the work
/// took, however long that is. So all long reads together use at most about half of one core, however many clients ask for
/// them, and a write waits for one chunk at most.
package final class ReadThrottle: Sendable {
    private let turns = Turns()
    /// The time at which the next chunk may begin.
    private let nextStart: Mutex<Duration>
    private let now: @Sendable () -> Duration
    private let wait: @Sendable (Duration) async throws -> Void

    /// - Parameters:
    ///   - now: a time that never goes back.
    ///   - wait: returns after that time, or throws when the task is cancelled.
    package init(
        now: @escaping @Sendable () -> Duration, wait: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.now = now
        self.wait = wait
        nextStart = Mutex(now())
    }

    /// A throttle by the continuous clock.
    package convenience init() {
        let start = ContinuousClock.now
        self.init(now: { start.duration(to: .now) }, wait: { try await Task.sleep(for: $0) })
    }

    /// Does the work of one chunk, after the chunks that were asked for before.
    ///
    /// - Parameter work: bounded work, because the next chunk waits for twice its time.
    /// - Throws: `CancellationError` when the task is cancelled before the work begins.
    package func run<Value>(_ work: () async throws -> Value) async throws -> Value {
        await turns.begin()
        defer { turns.end() }
        try Task.checkCancellation()
        let pause = nextStart.withLock { $0 } - now()
        if pause > .zero { try await wait(pause) }
        let begin = now()
        defer {
            let end = now()
            nextStart.withLock { $0 = end + (end - begin) }
        }
        return try await work()
    }
}
