package import Domain
import Synchronization

/// The invokes that one instance is at: it acts on their runs alone, and a request that names no run is of the only one.
package final class InstanceInvokes: Sendable {
    package struct Invoke: Hashable, Sendable {
        package let run: RunID
        package let requestID: String

        package init(run: RunID, requestID: String) {
            self.run = run
            self.requestID = requestID
        }
    }

    private struct State {
        var invokes: [Invoke] = []
        var hasBegun = false
        var hasAbandoned = false
    }

    private let state = Mutex(State())

    package init() {}

    package func begin(_ invoke: Invoke) {
        state.withLock { state in
            state.invokes.append(invoke)
            state.hasBegun = true
        }
    }

    package func end(_ invoke: Invoke) {
        state.withLock { state in
            if let index = state.invokes.firstIndex(of: invoke) { state.invokes.remove(at: index) }
        }
    }

    /// Ends an invoke that was not answered, whose handler may continue.
    package func abandon(_ invoke: Invoke) {
        state.withLock { $0.hasAbandoned = true }
        end(invoke)
    }

    package var all: [Invoke] { state.withLock { $0.invokes } }

    /// True once the instance was called for a run.
    package var hasBegun: Bool { state.withLock { $0.hasBegun } }

    /// True once a handler may be left behind: a request that names no run is then of no run for sure.
    package var hasAbandoned: Bool { state.withLock { $0.hasAbandoned } }
}
