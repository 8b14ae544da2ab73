import Synchronization

/// The connection of one request, as far as it matters to its outcome: an outcome that no caller receives is the next
/// identical call's.
package final class CallerPresence: Sendable {
    private let gone = Atomic(false)

    package init() {}

    /// True once the client has closed its side of the connection.
    package var isGone: Bool { gone.load(ordering: .acquiring) }

    /// Records that the client has closed its side.
    package func leave() { gone.store(true, ordering: .releasing) }
}
