package import Domain
import Synchronization

/// The times at which API keys were last used, in memory: a request costs a look-up, and nothing is recorded.
///
/// Exact to a minute. Bounded by the number of keys, as only keys that exist are noted.
package final class KeyUses: Sendable {
    private struct State {
        var times: [APIKeyID: Timestamp]
        var isChanged = false
    }

    private static let precision = Duration.seconds(60)

    private let state: Mutex<State>

    package init(_ times: [APIKeyID: Timestamp] = [:]) { state = Mutex(State(times: times)) }

    /// Notes a use. Within a minute of the noted one it changes nothing; an earlier time, after a step of the clock, does.
    ///
    /// - Returns: true when the time changed.
    @discardableResult
    package func note(_ key: APIKeyID, at time: Timestamp) -> Bool {
        state.withLock { state in
            if let last = state.times[key], last <= time, time < last.adding(Self.precision) { return false }
            state.times[key] = time
            state.isChanged = true
            return true
        }
    }

    /// The time of the last use; `nil` when there was none.
    func last(of key: APIKeyID) -> Timestamp? { state.withLock { $0.times[key] } }

    /// Forgets a key that is revoked.
    func forget(_ key: APIKeyID) {
        state.withLock { state in
            if state.times.removeValue(forKey: key) != nil { state.isChanged = true }
        }
    }

    /// Saves all times, when one changed since they were last saved. After a failure the next call saves them.
    package func saveChanged(_ save: ([APIKeyID: Timestamp]) async throws -> Void) async throws {
        guard let times = takeChanged() else { return }
        do {
            try await save(times)
        } catch {
            state.withLock { $0.isChanged = true }
            throw error
        }
    }

    private func takeChanged() -> [APIKeyID: Timestamp]? {
        state.withLock { state in
            guard state.isChanged else { return nil }
            state.isChanged = false
            return state.times
        }
    }
}
