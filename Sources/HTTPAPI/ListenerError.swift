/// A failure of a listener of the HTTP server.
package enum ListenerError: Error {
    package enum Listener: String, Sendable {
        /// The address that clients use.
        case api = "the API"
        /// The socket on which agents reach Sluice.
        case gate = "agents"
    }

    /// The listener's address cannot be bound.
    case unusable(Listener, any Error)
    /// The listener has stopped, and no shutdown was asked for.
    case ended(Listener)
}
