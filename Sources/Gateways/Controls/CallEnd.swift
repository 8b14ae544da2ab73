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
        var cancellations: [UInt64: @Sendable () -> Void] = [:]
        var nextID: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Ends the call; the first reason counts.
    func come(_ reason: EndedCall) {
        let cancellations = state.withLock { state in
            guard state.reason == nil else { return [@Sendable () -> Void]() }
            state.reason = reason
            return Array(state.cancellations.values)
        }
        for cancel in cancellations { cancel() }
    }

    /// Runs the operation; when the call ends before, cancels it and throws the reason.
    func racing<Value: Sendable>(_ operation: @escaping @Sendable () async throws -> Value) async throws -> Value {
        // A task of its own can be cancelled from elsewhere, which a child of a group cannot; it is awaited here.
        let work = Task { try await operation() }
        let id = register { work.cancel() }
        let result = await withTaskCancellationHandler {
            await work.result
        } onCancel: {
            work.cancel()
        }
        if let reason = unregister(id) { throw reason }
        return try result.get()
    }

    private func register(_ cancel: @escaping @Sendable () -> Void) -> UInt64 {
        let (id, isOver) = state.withLock { state in
            state.nextID += 1
            state.cancellations[state.nextID] = cancel
            return (state.nextID, state.reason != nil)
        }
        if isOver { cancel() }
        return id
    }

    /// - Returns: the reason, when the call has ended meanwhile.
    private func unregister(_ id: UInt64) -> EndedCall? {
        state.withLock { state in
            state.cancellations[id] = nil
            return state.reason
        }
    }
}
