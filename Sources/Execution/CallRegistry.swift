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
        fileprivate let number: UInt64
        let cancellation: AsyncStream<Void>
    }

    private struct State {
        /// A run's next call may be admitted before the end of its last one is noted.
        var cancellations: [RunID: [UInt64: AsyncStream<Void>.Continuation]] = [:]
        var count = 0
        var lastNumber: UInt64 = 0
        var waiting: Deque<InvokeCall> = []
    }

    private let callsMax: Int
    private let state = Mutex(State())

    init(callsMax: Int) { self.callsMax = callsMax }

    /// The call, when there is a place for it now; otherwise `finish` gives it later.
    func admit(_ call: InvokeCall) -> Admitted? {
        state.withLock { state in
            guard state.count < callsMax else {
                state.waiting.append(call)
                return nil
            }
            return Self.start(call, &state)
        }
    }

    /// Frees the place of a call and gives it to the next that waits.
    func finish(_ admitted: Admitted) -> Admitted? {
        state.withLock { state in
            let run = admitted.call.runID
            if state.cancellations[run]?.removeValue(forKey: admitted.number) != nil { state.count -= 1 }
            if state.cancellations[run]?.isEmpty == true { state.cancellations[run] = nil }
            return state.waiting.popFirst().map { Self.start($0, &state) }
        }
    }

    /// Breaks the run's call off, or forgets that it waits.
    func cancel(_ run: RunID) {
        let cancellations = state.withLock { state in
            state.waiting.removeAll { $0.runID == run }
            return state.cancellations[run].map { Array($0.values) } ?? []
        }
        for cancellation in cancellations { cancellation.finish() }
    }

    private static func start(_ call: InvokeCall, _ state: inout State) -> Admitted {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        state.lastNumber += 1
        state.count += 1
        state.cancellations[call.runID, default: [:]][state.lastNumber] = continuation
        return Admitted(call: call, number: state.lastNumber, cancellation: stream)
    }
}
