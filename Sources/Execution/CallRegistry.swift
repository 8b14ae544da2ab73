import DequeModule
import Domain
import Synchronization

/// The calls in flight and the ones that wait for a place, so that a run that ends takes its call with it.
///
/// At most `callsMax` are in flight. What waits is bounded by the unfinished runs: each has one open invoke at most.
final class CallRegistry: Sendable {
    /// A call that may start, and the stream that ends when it is to be broken off.
    struct Admitted: Sendable {
        let call: InvokeCall
        let cancellation: AsyncStream<Void>
    }

    private struct State {
        var cancellations: [RunID: AsyncStream<Void>.Continuation] = [:]
        var waiting: Deque<InvokeCall> = []
    }

    private let callsMax: Int
    private let state = Mutex(State())

    init(callsMax: Int) { self.callsMax = callsMax }

    /// The call, when there is a place for it now; otherwise `finish` gives it later.
    func admit(_ call: InvokeCall) -> Admitted? {
        state.withLock { state in
            guard state.cancellations.count < callsMax else {
                state.waiting.append(call)
                return nil
            }
            return Self.start(call, &state)
        }
    }

    /// Frees the place of a run's call and gives it to the next that waits.
    func finish(_ run: RunID) -> Admitted? {
        state.withLock { state in
            state.cancellations[run] = nil
            return state.waiting.popFirst().map { Self.start($0, &state) }
        }
    }

    /// Breaks the run's call off, or forgets that it waits.
    func cancel(_ run: RunID) {
        state.withLock { state in
            state.waiting.removeAll { $0.runID == run }
            return state.cancellations[run]
        }?.finish()
    }

    private static func start(_ call: InvokeCall, _ state: inout State) -> Admitted {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        state.cancellations[call.runID] = continuation
        return Admitted(call: call, cancellation: stream)
    }
}
