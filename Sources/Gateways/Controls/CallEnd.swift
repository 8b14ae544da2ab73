import Synchronization

/// The reason why a control ended a call.
struct EndedCall: Error, Hashable, Sendable {
    let status: Int
    let code: String
    let message: String

    var answer: EgressAnswer { .refusal(status, code, message) }
}

/// The end of one call, for the tasks that work on it.
final class CallEnd: Sendable {
    private struct State {
        var reason: EndedCall?
        var waiters: [UInt64: AsyncStream<EndedCall>.Continuation] = [:]
        var nextID: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Ends the call; the first reason counts.
    func come(_ reason: EndedCall) {
        let waiters = state.withLock { state in
            guard state.reason == nil else { return [AsyncStream<EndedCall>.Continuation]() }
            state.reason = reason
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters {
            waiter.yield(reason)
            waiter.finish()
        }
    }

    /// Waits for the end; `nil` when the waiting task is cancelled before.
    func reason() async -> EndedCall? {
        let (stream, continuation) = AsyncStream.makeStream(of: EndedCall.self, bufferingPolicy: .bufferingNewest(1))
        let (known, id) = state.withLock { state in
            state.nextID += 1
            if state.reason == nil { state.waiters[state.nextID] = continuation }
            return (state.reason, state.nextID)
        }
        if let known { return known }
        defer { state.withLock { _ = $0.waiters.removeValue(forKey: id) } }
        for await reason in stream { return reason }
        return nil
    }

    /// Runs the operation; when the call ends before, cancels it and throws the reason.
    func racing<Value: Sendable>(_ operation: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await operation() }
            group.addTask {
                if let reason = await self.reason() { throw reason }
                return nil
            }
            defer { group.cancelAll() }
            for try await value in group { if let value { return value } }
            throw CancellationError()
        }
    }
}
