import Synchronization

/// The client of a connection, as far as it matters to the outcome of its calls: an outcome that no caller receives is
/// the next identical call's.
package final class CallerPresence: Sendable {
    private let gone = Atomic(false)

    package init() {}

    /// The presence of a client whose connection is closed.
    package static let gone = {
        let presence = CallerPresence()
        presence.leave()
        return presence
    }()

    /// True once the client has closed its side of the connection.
    package var isGone: Bool { gone.load(ordering: .acquiring) }

    /// Records that the client has closed its side.
    package func leave() { gone.store(true, ordering: .releasing) }
}
