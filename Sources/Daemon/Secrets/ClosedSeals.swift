import Domain
import Synchronization

/// The people whose data could not be opened in events that are being read, until the events are looked at.
final class ClosedSeals: Sendable {
    private let people = Mutex<[EventID: Set<PersonID>]?>([:])

    func note(_ person: PersonID, in event: EventID) {
        people.withLock { _ = $0?[event, default: []].insert(person) }
    }

    /// Removes and returns the people of one event.
    func take(_ event: EventID) -> Set<PersonID> { people.withLock { $0?.removeValue(forKey: event) } ?? [] }

    /// Ends the collection: from here on nothing is noted.
    func end() { people.withLock { $0 = nil } }
}
