package import Domain
import Synchronization

/// The invokes that one instance is at, by which the gate attributes a request that names no run.
package final class InstanceInvokes: Sendable {
    package struct Invoke: Hashable, Sendable {
        package let run: RunID
        package let requestID: String

        package init(run: RunID, requestID: String) {
            self.run = run
            self.requestID = requestID
        }
    }

    private let invokes = Mutex<[Invoke]>([])

    package init() {}

    package func begin(_ invoke: Invoke) { invokes.withLock { $0.append(invoke) } }

    package func end(_ invoke: Invoke) {
        invokes.withLock { invokes in
            if let index = invokes.firstIndex(of: invoke) { invokes.remove(at: index) }
        }
    }

    /// The only invoke; `nil` with none or several.
    package var only: Invoke? { invokes.withLock { $0.count == 1 ? $0[0] : nil } }
}
