import Synchronization

/// Lets appends through one at a time, first come first served.
///
/// Positions are given by the log and published by the store: between the two nobody else may pass, or subscribers
/// would see the later batch before the earlier one.
final class AppendTurns: Sendable {
    private struct State {
        var isTaken = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// Returns when it is the caller's turn, which lasts until `end()`. Cancellation does not cut the wait short.
    func begin() async {
        await withCheckedContinuation { waiter in
            let isFree = state.withLock { state in
                if state.isTaken {
                    state.waiting.append(waiter)
                    return false
                }
                state.isTaken = true
                return true
            }
            if isFree { waiter.resume() }
        }
    }

    /// Hands the turn to whoever waits longest.
    func end() {
        let next = state.withLock { state in
            state.isTaken = !state.waiting.isEmpty
            return state.waiting.isEmpty ? nil : state.waiting.removeFirst()
        }
        next?.resume()
    }
}
