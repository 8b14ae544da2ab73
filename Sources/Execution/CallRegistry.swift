import Domain
import Synchronization

/// The calls in flight, so that a run that ends takes its call with it, and that they stay within a bound.
final class CallRegistry: Sendable {
    private struct State {
        var cancellations: [RunID: AsyncStream<Void>.Continuation] = [:]
        var free: Int
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state: Mutex<State>

    init(callsMax: Int) { state = Mutex(State(free: callsMax)) }

    /// Takes a place, waiting for one when all are taken. One caller at a time.
    func enter() async {
        await withCheckedContinuation { waiter in
            let isFree = state.withLock { state in
                guard state.free > 0 else {
                    state.waiter = waiter
                    return false
                }
                state.free -= 1
                return true
            }
            if isFree { waiter.resume() }
        }
    }

    func leave(_ run: RunID) {
        let waiter = state.withLock { state in
            state.cancellations[run] = nil
            guard let waiter = state.waiter else {
                state.free += 1
                return nil as CheckedContinuation<Void, Never>?
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    /// Ends when `cancel` is called for the run.
    func cancellation(of run: RunID) -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        state.withLock { $0.cancellations[run] = continuation }
        return stream
    }

    func cancel(_ run: RunID) { state.withLock { $0.cancellations[run] }?.finish() }
}
