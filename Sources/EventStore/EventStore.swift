package import Domain
package import EventLog
import Synchronization

/// The typed door on the log: events in, recorded events out, and subscriptions from any position.
package final class EventStore: Sendable {
    /// How many events one page or one subscription batch holds at most.
    package static let pageEventsMax = 1024
    /// About how many bytes one page or one subscription batch holds at most; one event is always let through.
    package static let pageBytesMax = 4 * 1024 * 1024
    /// What an event is expected to weigh, so that a page does not read much more than it gives out.
    private static let eventBytesExpected = 256

    private let backend: any LogBackend
    let snapshots: SnapshotKeeper?
    /// Opens what is sealed in records.
    package let personal: any PersonalDataReader
    private let cipher: (any PersonalDataCipher)?
    /// Positions are given by the log and published here: between the two nobody else may pass, or subscribers would see
    /// the later batch before the earlier one.
    private let turns = Turns()
    private let recent: Mutex<RecentEvents>
    private let appendBegan = Mutex<ContinuousClock.Instant?>(nil)

    /// - Parameters:
    ///   - cipher: seals what events say of people; without one that is written as it is.
    ///   - snapshots: where `saveSnapshot` keeps them; nowhere, when there is none.
    ///   - recentEventsMax: how many of the newest events are kept in memory for subscriptions.
    ///   - recentBytesMax: about how many bytes those may take.
    package init(
        backend: any LogBackend, cipher: (any PersonalDataCipher)? = nil, snapshots: SnapshotKeeper? = nil,
        recentEventsMax: Int = 8192,
        recentBytesMax: Int = 32 * 1024 * 1024
    ) async {
        self.backend = backend
        self.cipher = cipher
        personal = cipher ?? WithoutKeys()
        self.snapshots = snapshots
        recent = Mutex(
            RecentEvents(
                durable: Position(await backend.durablePosition), eventsMax: recentEventsMax, bytesMax: recentBytesMax))
    }

    /// The newest position that survives a crash.
    package var durablePosition: Position { recent.withLock { $0.durable } }

    /// Appends the events as one: after a crash all of them are there or none. Durable, and seen by every reader and
    /// subscription, on return.
    package func append(_ events: [Event]) async throws(EventStoreError) -> [RecordedEvent] {
        let records: [[UInt8]]
        if let cipher {
            records = try await EventCodec.encode(events, sealing: cipher)
        } else {
            records = events.map { EventCodec.encode($0) }
        }
        await turns.begin()
        defer { turns.end() }
        let first: UInt64
        appendBegan.withLock { $0 = .now }
        defer { appendBegan.withLock { $0 = nil } }
        do {
            first = try await backend.append(records)
        } catch {
            throw .backend(error)
        }
        let recorded = events.enumerated().map { index, event in
            RecordedEvent(position: Position(first + UInt64(index)), event: event)
        }
        let wakes = recent.withLock { $0.publish(recorded) }
        for wake in wakes { wake.resume() }
        return recorded
    }

    /// The time since the write in flight began; `nil` while there is none.
    package var appendDuration: Duration? { appendBegan.withLock { $0 }.map { $0.duration(to: .now) } }

    /// Durable events from `position` on: at least one when there is one, at most `limit` and `pageEventsMax`, and
    /// fewer when they are larger than `bytesMax` together; none at the end of the log.
    ///
    /// Positions of records that are not kept any more are passed over; the log's last record is always kept.
    ///
    /// - Parameter last: nothing beyond it is read.
    package func read(
        from position: Position, through last: Position = Position(.max), limit: Int, bytesMax: Int = pageBytesMax
    ) async throws(EventStoreError) -> [RecordedEvent] {
        let count = min(limit, Self.pageEventsMax)
        guard count > 0 else { return [] }
        var next = max(position, Position(1))
        while next <= last {
            let page = try await readPage(from: next, through: last, count: count, bytesMax: bytesMax)
            guard page.events.isEmpty, page.next > next else { return page.events }
            next = page.next
        }
        return []
    }

    /// - Returns: the events, and the position after the last one that was looked at.
    private func readPage(
        from position: Position, through last: Position, count: Int, bytesMax: Int
    ) async throws(EventStoreError) -> (events: [RecordedEvent], next: Position) {
        var next = position
        let records: [LogRecord]
        do {
            records = try await backend.read(from: next.value, bytesMax: count * Self.eventBytesExpected)
        } catch {
            throw .backend(error)
        }
        var events: [RecordedEvent] = []
        events.reserveCapacity(min(count, records.count))
        var byteCount = 0
        for record in records {
            guard next <= last, events.count < count else { break }
            if let bytes = record.bytes {
                byteCount += bytes.count
                guard events.isEmpty || byteCount <= bytesMax else { break }
                let event = try EventCodec.decode(bytes, at: next.value, opening: personal)
                events.append(RecordedEvent(position: next, event: event))
            }
            next = next.next
        }
        return (events, next)
    }

    /// The number of rewrites of the log; it changes when records are removed.
    package func editions() async throws(EventStoreError) -> UInt64 {
        do {
            return try await backend.editions()
        } catch {
            throw .backend(error)
        }
    }

    /// A cursor that gives every event after `position`, in order and once, and waits at the end.
    ///
    /// - Parameters:
    ///   - eventsMax: how many events a batch holds at most.
    ///   - bytesMax: about how many bytes those may take.
    ///   - interest: the events that end a wait; others that come meanwhile may be left out. It is asked by the writer, and has to
    ///     be quick. `nil` for every event.
    package func subscribe(
        after position: Position, eventsMax: Int = pageEventsMax, bytesMax: Int = pageBytesMax,
        waitingFor interest: EventInterest? = nil
    ) -> EventSubscription {
        EventSubscription(
            store: self, after: position, eventsMax: eventsMax, bytesMax: bytesMax, interest: interest)
    }

    /// Ends every subscription and closes the log in order.
    package func close() async throws(EventStoreError) {
        let wakes = recent.withLock { $0.close() }
        for wake in wakes { wake.resume() }
        do {
            try await backend.close()
        } catch {
            throw .backend(error)
        }
    }

    /// Gives up the events kept in memory: what is asked for next is read from the log, as it can be read by then.
    package func forgetRecent() { recent.withLock { $0.forget() } }

    /// The number of records that are sealed with each of these people's keys, by one read of the log.
    package func count(sealedFor people: Set<PersonID>) async throws(EventStoreError) -> [PersonID: UInt64] {
        var (next, counts): (UInt64, [PersonID: UInt64]) = (1, [:])
        while next <= durablePosition.value {
            let records: [LogRecord]
            do {
                records = try await backend.read(from: next, bytesMax: Self.pageBytesMax)
            } catch {
                throw .backend(error)
            }
            guard !records.isEmpty else { break }
            for record in records.compactMap(\.bytes) {
                let sealed = Set(try EventCodec.seals(in: record).map(\.personID))
                for person in sealed where people.contains(person) { counts[person, default: 0] += 1 }
            }
            next += UInt64(records.count)
        }
        return counts
    }

    /// How many subscriptions wait for the next event.
    package var waiterCount: Int { recent.withLock { $0.waiterCount } }

    /// About how many bytes the events kept for subscriptions take.
    package var recentByteCount: Int { recent.withLock { $0.byteCount } }

    func events(after position: Position, eventsMax: Int, bytesMax: Int) -> RecentEvents.Lookup {
        recent.withLock { $0.events(after: position, eventsMax: eventsMax, bytesMax: bytesMax) }
    }

    /// True when the event after `position` is durable and no longer in memory.
    func isBehind(_ position: Position) -> Bool { recent.withLock { $0.isBehind(position) } }

    /// Returns when there is an event of that interest after `position`, the store is closed, or the task is cancelled.
    ///
    /// - Returns: the position after which the next events are; others that came meanwhile are passed.
    func waitForEvent(after position: Position, for interest: EventInterest?) async -> Position {
        let ticket = recent.withLock { $0.makeTicket() }
        let passed = await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let isDue = recent.withLock { $0.wait(waiter, ticket: ticket, after: position, for: interest) }
                if isDue { waiter.resume(returning: position) }
            }
        } onCancel: {
            recent.withLock { $0.cancel(ticket) }?.resume()
        }
        recent.withLock { $0.forget(ticket) }
        return passed
    }
}
