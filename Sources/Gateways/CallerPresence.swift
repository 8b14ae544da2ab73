import Synchronization

/// The client of a connection, as far as it matters to the outcome of its calls: an outcome that no caller receives is
/// the next identical call's.
package final class CallerPresence: Sendable {
    private struct State {
        var isGone = false
        var actions: [UInt64: @Sendable () -> Void] = [:]
        var nextID: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// The presence of a client whose connection is closed.
    package static let gone = {
        let presence = CallerPresence()
        presence.leave()
        return presence
    }()

    /// True once the client has closed its side of the connection.
    package var isGone: Bool { state.withLock { $0.isGone } }

    /// Records that the client has closed its side.
    package func leave() {
        let actions = state.withLock { state in
            state.isGone = true
            defer { state.actions = [:] }
            return Array(state.actions.values)
        }
        for action in actions { action() }
    }

    /// Runs the action when the client leaves, at once when it has left; until nothing refers to the result any more.
    func onLeave(_ action: @escaping @Sendable () -> Void) -> Watch {
        let id: UInt64? = state.withLock { state in
            guard !state.isGone else { return nil }
            state.nextID += 1
            state.actions[state.nextID] = action
            return state.nextID
        }
        if id == nil { action() }
        return Watch(presence: self, id: id)
    }

    private func forget(_ id: UInt64) { state.withLock { _ = $0.actions.removeValue(forKey: id) } }

    /// The registration of an action.
    final class Watch: Sendable {
        private let presence: CallerPresence
        private let id: UInt64?

        fileprivate init(presence: CallerPresence, id: UInt64?) {
            self.presence = presence
            self.id = id
        }

        deinit { if let id { presence.forget(id) } }
    }
}
