import Synchronization

/// The reason why a control ended a call.
package struct EndedCall: Error, Hashable, Sendable, CustomStringConvertible {
    let status: Int
    let code: String
    let message: String

    /// - Parameters:
    ///   - status: the status of the answer.
    ///   - code: the code in its body.
    package init(status: Int, code: String, message: String) {
        self.status = status
        self.code = code
        self.message = message
    }

    package var description: String { message }

    var answer: EgressAnswer { .refusal(status, code, message) }
}

/// The end of one call, for the tasks that work on it.
package final class CallEnd: Sendable {
    /// A task that works on the call, for as long as it runs.
    // SAFETY: of the task only `cancel` is used, which any thread may call, and only under the lock that `leave` takes
    // before the task ends.
    private struct Worker: @unchecked Sendable {
        let task: UnsafeCurrentTask
    }

    private struct State {
        var reason: EndedCall?
        var workers: [(id: UInt64, worker: Worker)] = []
        var nextID: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Ends the call; the first reason counts.
    package func come(_ reason: EndedCall) {
        state.withLock { state in
            guard state.reason == nil else { return }
            state.reason = reason
            for (_, worker) in state.workers { worker.task.cancel() }
        }
    }

    /// Runs the operation; when the call ends before, cancels it and throws the reason.
    ///
    /// The operation is a task of its own, so that its cancellation is not the caller's, who still has to answer. It
    /// begins on the caller's thread.
    package func racing<Value: Sendable>(_ operation: @escaping @Sendable () async throws -> Value) async throws
        -> Value
    {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addImmediateTask { try await self.working(operation) }
            guard let value = try await group.next() else { throw CancellationError() }
            return value
        }
    }

    /// Runs the operation in the current task; when the call ends before, that cancels the task and throws the reason.
    func working<Value: Sendable>(_ operation: @Sendable () async throws -> Value) async throws -> Value {
        let id = try join()
        let result: Result<Value, any Error>
        do { result = .success(try await operation()) } catch { result = .failure(error) }
        if let reason = leave(id) { throw reason }
        return try result.get()
    }

    /// Has the end of the call cancel the current task until it leaves; throws the reason when it has come already.
    private func join() throws(EndedCall) -> UInt64 {
        guard let worker = withUnsafeCurrentTask(body: { $0.map(Worker.init) }) else {
            preconditionFailure("an operation is a task")
        }
        let result: Result<UInt64, EndedCall> = state.withLock { state in
            if let reason = state.reason { return .failure(reason) }
            state.nextID += 1
            state.workers.append((state.nextID, worker))
            return .success(state.nextID)
        }
        return try result.get()
    }

    /// Takes the current task out again.
    ///
    /// - Returns: the reason why the call has ended meanwhile.
    private func leave(_ id: UInt64) -> EndedCall? {
        state.withLock { state in
            state.workers.removeAll { $0.id == id }
            return state.reason
        }
    }
}
