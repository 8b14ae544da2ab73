import Domain
import EventStreaming

/// How far a run has come in its first turn, as its events tell.
struct FirstTurn: Sendable {
    enum Ending: Sendable {
        /// The agent has answered.
        case completed(InvokeCompleted)
        /// The run waits for somebody, and the agent has not answered.
        case paused(RunStatus)
        case finished(RunStatusChanged)
    }

    /// `nil` while nothing is over.
    private(set) var ending: Ending?
    /// The attempt that failed last.
    private(set) var failure: InvokeFailed?
    private var follower: EventFollower

    init(_ follower: EventFollower) { self.follower = follower }

    /// The turn once it has ended, or after that time.
    ///
    /// - Parameters:
    ///   - pastPause: whether a pause is no end.
    ///   - show: receives each item on the way.
    /// - Throws: `CancellationError` when the task is cancelled, or the log closed.
    func advanced(
        within time: Duration, pastPause: Bool, _ show: @escaping @Sendable (StreamItem) async throws -> Void
    ) async throws -> FirstTurn {
        try await withThrowingTaskGroup(of: FirstTurn?.self) { group in
            group.addTask {
                var turn = self
                try await turn.advance(pastPause, show)
                return turn
            }
            group.addTask {
                try await Task.sleep(for: time)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first ?? self
        }
    }

    private mutating func advance(
        _ pastPause: Bool, _ show: @Sendable (StreamItem) async throws -> Void
    ) async throws {
        while let item = try await follower.next() {
            try await show(item)
            guard case .event(let recorded) = item, let ending = take(recorded.event.payload) else { continue }
            self.ending = ending
            if case .paused = ending, pastPause { continue }
            return
        }
        throw CancellationError()
    }

    private mutating func take(_ payload: EventPayload) -> Ending? {
        switch payload {
        case .invokeCompleted(let completed): return .completed(completed)
        case .invokeFailed(let failed): failure = failed
        case .actionBlocked(let blocked): return .paused(blocked.isConsent ? .pausedConsent : .pausedApproval)
        case .runStatusChanged(let changed):
            if changed.status.isFinished { return .finished(changed) }
            return changed.status == .running ? nil : .paused(changed.status)
        default: break
        }
        return nil
    }
}
