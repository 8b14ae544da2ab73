package import Domain
import Synchronization

/// Calls of tools whose outcome is not with their caller yet.
///
/// A client that times out, closes its connection and asks again means the call that it has made already. So the next
/// identical call takes over the one whose caller is gone, and receives its outcome. Kept in memory alone: after a
/// restart every call is one of an earlier attempt, or of unknown outcome.
package final class UndeliveredCalls: Sendable {
    private struct Call {
        let id: ToolCallID
        let fingerprint: UUIDValue
        /// `nil` when the caller is answered, but not with the outcome.
        var caller: CallerPresence?

        var isFree: Bool { caller?.isGone ?? true }
    }

    private static let callsPerRunMax = 1024

    private let calls = Mutex<[RunID: [Call]]>([:])

    package init() {}

    /// The number of runs with such calls.
    package var runCount: Int { calls.withLock { $0.count } }

    /// Begins a call, or the replay of one, for a caller.
    package func begin(_ id: ToolCallID, _ fingerprint: UUIDValue, of run: RunID, for caller: CallerPresence) {
        calls.withLock { calls in
            var own = calls[run, default: []]
            own.removeAll { $0.id == id }
            if own.count >= Self.callsPerRunMax { own.removeFirst() }
            own.append(Call(id: id, fingerprint: fingerprint, caller: caller))
            calls[run] = own
        }
    }

    /// Takes over the oldest such call of that identity whose caller is gone; `nil` when there is none.
    package func claim(_ fingerprint: UUIDValue, of run: RunID, for caller: CallerPresence) -> ToolCallID? {
        calls.withLock { calls in
            guard let index = calls[run]?.firstIndex(where: { $0.fingerprint == fingerprint && $0.isFree }) else {
                return nil
            }
            calls[run]?[index].caller = caller
            return calls[run]?[index].id
        }
    }

    /// True when a call of that identity is with a caller that may have left a moment ago.
    package func isPending(_ fingerprint: UUIDValue, of run: RunID) -> Bool {
        calls.withLock { $0[run]?.contains { $0.fingerprint == fingerprint } ?? false }
    }

    /// Gives a claimed call back: its caller gets another answer.
    package func release(_ id: ToolCallID, of run: RunID) {
        calls.withLock { calls in
            guard let index = calls[run]?.firstIndex(where: { $0.id == id }) else { return }
            calls[run]?[index].caller = nil
        }
    }

    /// Ends a call that has no outcome to deliver, or whose outcome is with its caller.
    package func end(_ id: ToolCallID, of run: RunID) {
        calls.withLock { calls in
            calls[run]?.removeAll { $0.id == id }
            if calls[run]?.isEmpty == true { calls[run] = nil }
        }
    }

    /// Forgets a run that has ended.
    package func forget(_ run: RunID) { calls.withLock { $0[run] = nil } }
}
