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
    private typealias Waiter = CheckedContinuation<EndedCall?, Never>

    private struct State {
        var reason: EndedCall?
        var waiters: [UInt64: Waiter] = [:]
        var nextID: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Ends the call; the first reason counts.
    func come(_ reason: EndedCall) {
        let waiters = state.withLock { state in
            guard state.reason == nil else { return [Waiter]() }
            state.reason = reason
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume(returning: reason) }
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

    /// Waits for the end; `nil` when the waiting task is cancelled before.
    private func reason() async -> EndedCall? {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let isOver = state.withLock { state in
                    guard state.reason == nil, !Task.isCancelled else { return true }
                    state.waiters[id] = waiter
                    return false
                }
                if isOver { waiter.resume(returning: state.withLock { $0.reason }) }
            }
        } onCancel: {
            // Before the wait has begun it is not there; the wait sees that its task is cancelled.
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume(returning: nil)
        }
    }
}
