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

    private let invokes = Mutex<[Invoke]>([])

    package init() {}

    package func begin(_ invoke: Invoke) { invokes.withLock { $0.append(invoke) } }

    package func end(_ invoke: Invoke) {
        invokes.withLock { invokes in
            if let index = invokes.firstIndex(of: invoke) { invokes.remove(at: index) }
        }
    }

    package var all: [Invoke] { invokes.withLock { $0 } }
}
