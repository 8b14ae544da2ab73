package import Domain
import Synchronization

/// Wakes those who wait until a call of a run has come to its end.
///
/// Fed with the log's events, so that an end counts whichever way it came about.
package final class CallEndings: Sendable {
    /// One who waits; forgotten when nothing refers to it any more.
    package final class Follower: Sendable {
        private let endings: CallEndings
        private let run: RunID
        private let id: UInt64
        private let signals: AsyncStream<Void>

        fileprivate init(_ endings: CallEndings, _ run: RunID, _ id: UInt64, _ signals: AsyncStream<Void>) {
            self.endings = endings
            self.run = run
            self.id = id
            self.signals = signals
        }

        deinit { endings.forget(id, of: run) }

        /// Returns when a call of the run has ended since the last time, at the deadline, or when the task is cancelled.
        package func next(until deadline: ContinuousClock.Instant) async {
            await withTaskGroup { group in
                group.addTask { [signals] in for await _ in signals { return } }
                group.addTask { try? await Task.sleep(until: deadline) }
                await group.next()
                group.cancelAll()
            }
        }
    }

    private struct State {
        var followers: [RunID: [UInt64: AsyncStream<Void>.Continuation]] = [:]
        var nextID: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// The number of runs that are waited for.
    package var runCount: Int { state.withLock { $0.followers.count } }

    /// Follows the run from now on; an end that comes before `next` is called is not missed.
    package func follow(_ run: RunID) -> Follower {
        let (signals, signal) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state in
            state.nextID += 1
            state.followers[run, default: [:]][state.nextID] = signal
            return state.nextID
        }
        return Follower(self, run, id, signals)
    }

    /// Wakes those who wait for the run, when the event ends a call of it or the run itself.
    package func observe(_ event: Event) {
        switch event.payload {
        case .toolCalled, .toolCallInterrupted: break
        case .runStatusChanged(let changed) where changed.status.isFinished: break
        default: return
        }
        let run = RunID(event.stream.id)
        let signals = state.withLock { $0.followers[run].map { Array($0.values) } ?? [] }
        for signal in signals { signal.yield() }
    }

    private func forget(_ id: UInt64, of run: RunID) {
        state.withLock { state in
            state.followers[run]?[id] = nil
            if state.followers[run]?.isEmpty == true { state.followers[run] = nil }
        }
    }
}
