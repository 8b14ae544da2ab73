import Synchronization

/// A value that comes once, for any number of tasks that wait for it.
final class Promise<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiters: [AsyncStream<Value>.Continuation] = []
    }

    private let state = Mutex(State())

    /// The first value counts.
    func fulfill(_ value: Value) {
        let waiters = state.withLock { state in
            guard state.value == nil else { return [AsyncStream<Value>.Continuation]() }
            state.value = value
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters {
            waiter.yield(value)
            waiter.finish()
        }
    }

    var current: Value? { state.withLock { $0.value } }

    /// Waits; `nil` when the waiting task is cancelled.
    func value() async -> Value? {
        let (stream, continuation) = AsyncStream.makeStream(of: Value.self, bufferingPolicy: .bufferingNewest(1))
        let known = state.withLock { state in
            if state.value == nil { state.waiters.append(continuation) }
            return state.value
        }
        if let known { return known }
        for await value in stream { return value }
        return nil
    }
}
