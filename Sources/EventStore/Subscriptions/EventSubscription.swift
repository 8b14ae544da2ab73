package import Domain

/// A cursor over the log. It holds a position and nothing else, so that a slow reader costs nothing.
///
/// Batches come from the events kept in memory, or from the log when the cursor has fallen behind those. A cursor
/// that stands beyond the log's end waits until the log gets there.
package struct EventSubscription: AsyncSequence, AsyncIteratorProtocol, Sendable {
    private static let retryInterval = Duration.seconds(1)

    private let store: EventStore
    private let eventsMax: Int
    private let bytesMax: Int
    private let interest: EventInterest?
    /// The last position given out, or passed.
    package private(set) var position: Position

    init(store: EventStore, after position: Position, eventsMax: Int, bytesMax: Int, interest: EventInterest?) {
        self.store = store
        self.eventsMax = eventsMax
        self.bytesMax = bytesMax
        self.interest = interest
        self.position = position
    }

    package func makeAsyncIterator() -> EventSubscription { self }

    /// True when the next batch is read from the log, because the events in memory begin later.
    package var isBehind: Bool { store.isBehind(position) }

    /// The next batch, at least one event; `nil` once the store is closed or the task cancelled.
    package mutating func next() async throws -> [RecordedEvent]? {
        while !Task.isCancelled {
            switch store.events(after: position, eventsMax: eventsMax, bytesMax: bytesMax) {
            case .closed: return nil
            case .caughtUp: position = await store.waitForEvent(after: position, for: interest)
            case .events(let events): return advance(events)
            case .behind:
                guard let page = try await readPage() else { continue }
                guard !page.isEmpty else {
                    throw EventStoreError.backend(
                        .damaged("the log gives nothing at position \(position.next), which it said is durable"))
                }
                return advance(page)
            }
        }
        return nil
    }

    /// The next page of the log; `nil`, after a pause, while no file descriptor is free.
    private func readPage() async throws -> [RecordedEvent]? {
        do {
            return try await store.read(from: position.next, limit: eventsMax, bytesMax: bytesMax)
        } catch let error where error.isShortage {
            try await Task.sleep(for: Self.retryInterval)
            return nil
        }
    }

    private mutating func advance(_ events: [RecordedEvent]) -> [RecordedEvent] {
        position = events.last?.position ?? position
        return events
    }
}
