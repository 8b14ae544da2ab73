import Metrics
import Synchronization

/// Counts the gate's connections by agent instance, so that no instance takes what others need.
final class AgentConnections: Sendable {
    private let instanceMax: Int
    private let counts = Mutex<[PeerInstance: Int]>([:])
    private let refused = Counter(label: "sluice_gate_connections_refused_total")

    /// - Parameter instanceMax: the maximum number of connections of one instance.
    init(instanceMax: Int) { self.instanceMax = instanceMax }

    /// Counts one more connection; `false`, and it is not counted, when the instance has as many as it may have.
    func take(_ instance: PeerInstance) -> Bool {
        let isTaken = counts.withLock { counts in
            guard counts[instance, default: 0] < instanceMax else { return false }
            counts[instance, default: 0] += 1
            return true
        }
        if !isTaken { refused.increment() }
        return isTaken
    }

    func release(_ instance: PeerInstance) {
        counts.withLock { counts in
            guard let count = counts[instance] else { return }
            counts[instance] = count > 1 ? count - 1 : nil
        }
    }
}
