package import Domain
import Synchronization

/// The typed door on the log: events in, recorded events out, and subscriptions from any position.
package final class EventStore: Sendable {
    /// How many events one page or one subscription batch holds at most.
    package static let pageEventsMax = 1024
    private static let pageBytesMax = 4 * 1024 * 1024

    private let backend: any LogBackend
    private let recent: Mutex<RecentEvents>

    /// - Parameter recentEventsMax: how many of the newest events are kept in memory for subscriptions.
    package init(backend: any LogBackend, recentEventsMax: Int = 8192) async {
        self.backend = backend
        recent = Mutex(RecentEvents(durable: Position(await backend.durablePosition), capacity: recentEventsMax))
    }

    /// The newest position that survives a crash.
    package var durablePosition: Position { recent.withLock { $0.durable } }

    /// Appends the events as one: after a crash all of them are there or none. Durable on return.
    ///
    /// One caller at a time: the command handler.
    package func append(_ events: [Event]) async throws(EventStoreError) -> [RecordedEvent] {
        var records: [[UInt8]] = []
        records.reserveCapacity(events.count)
        for event in events { records.append(try EventCodec.encode(event)) }
        let first: UInt64
        do {
            first = try await backend.append(records)
        } catch {
            throw .backend(error)
        }
        var position = Position(first)
        var recorded: [RecordedEvent] = []
        recorded.reserveCapacity(events.count)
        for event in events {
            recorded.append(RecordedEvent(position: position, event: event))
            position = position.next
        }
        let waiters = recent.withLock { $0.publish(recorded) }
        for waiter in waiters { waiter.resume() }
        return recorded
    }

    /// Durable events from `position` on, at most `limit` and `pageEventsMax` of them; none at the end of the log.
    package func read(from position: Position, limit: Int) async throws(EventStoreError) -> [RecordedEvent] {
        let records: [[UInt8]]
        do {
            records = try await backend.read(from: max(position.value, 1), bytesMax: Self.pageBytesMax)
        } catch {
            throw .backend(error)
        }
        var next = max(position, Position(1))
        var events: [RecordedEvent] = []
        for record in records.prefix(min(limit, Self.pageEventsMax)) {
            events.append(
                RecordedEvent(position: next, event: try EventCodec.decode(record, at: next.value)))
            next = next.next
        }
        return events
    }

    /// A cursor that gives every event after `position`, in order and once, and waits at the end.
    package func subscribe(after position: Position) -> EventSubscription {
        EventSubscription(store: self, after: position)
    }

    /// Ends every subscription and closes the log in order.
    package func close() async throws(EventStoreError) {
        let waiters = recent.withLock { $0.close() }
        for waiter in waiters { waiter.resume() }
        do {
            try await backend.close()
        } catch {
            throw .backend(error)
        }
    }

    /// How many subscriptions wait for the next event.
    package var waiterCount: Int { recent.withLock { $0.waiterCount } }

    func events(after position: Position, limit: Int) -> RecentEvents.Lookup {
        recent.withLock { $0.events(after: position, limit: limit) }
    }

    /// Returns when there is an event after `position`, the store is closed, or the task is cancelled.
    func waitForEvent(after position: Position) async {
        let ticket = recent.withLock { $0.makeTicket() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let isDue = recent.withLock { $0.wait(waiter, ticket: ticket, after: position) }
                if isDue { waiter.resume() }
            }
        } onCancel: {
            recent.withLock { $0.cancel(ticket) }?.resume()
        }
        recent.withLock { $0.forget(ticket) }
    }
}
