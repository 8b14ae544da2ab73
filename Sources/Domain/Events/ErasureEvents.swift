/// Somebody asked that a person's data be made unreadable: the key that all of it is sealed with is to be destroyed.
package struct PersonErasureRequested: Hashable, Sendable {
    /// Sealed with that key itself: once it is gone, nothing says who it was.
    package let userID: String

    package init(userID: String) { self.userID = userID }
}

/// A person's key is destroyed, and nothing that was made from their data is left: what their events say of them can
/// never be read again.
package struct PersonErased: Hashable, Sendable {
    /// How many events of the log are sealed with that key.
    package let events: UInt64

    package init(events: UInt64) { self.events = events }
}
