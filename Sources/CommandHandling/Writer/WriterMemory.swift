package import Domain
import EventStore

/// Everything the writer remembers, folded from the log: the unfinished, and the idempotency keys of late.
package struct WriterMemory: Equatable, Sendable {
    package private(set) var state: ActiveState
    var idempotency: IdempotencyIndex
    /// The newest position decided; it becomes durable a moment later.
    package private(set) var position: Position = .zero
    /// The newest event's time: the next one is not earlier, even when the clock was set back.
    private(set) var time = Timestamp(microseconds: 0)
    /// The newest event; `nil` in an empty log.
    private(set) var lastEventID: EventID?

    /// The memory of an empty log.
    package init(limits: Limits) {
        state = ActiveState()
        idempotency = IdempotencyIndex(limits: limits)
    }

    /// The memory as it was at `position`.
    init(
        state: ActiveState, idempotency: IdempotencyIndex, position: Position, time: Timestamp, lastEventID: EventID?
    ) {
        self.state = state
        self.idempotency = idempotency
        self.position = position
        self.time = time
        self.lastEventID = lastEventID
    }

    /// Reads the log, from the newest snapshot of it on.
    ///
    /// - Parameters:
    ///   - keyring: the state of the keyring; a snapshot made with keys that this state lacks is not looked at.
    ///   - observe: receives every event that is read, in order.
    /// - Returns: the memory, and the position of the snapshot that it began with.
    /// - Throws: `CommandError.readOnly` while no file descriptor is free, `.stopped` when the log cannot be read or the
    ///   task is cancelled.
    static func folding(
        _ store: EventStore, limits: Limits, keyring: KeyringMark? = nil, observe: (RecordedEvent) -> Void = { _ in }
    ) async throws(CommandError) -> (memory: WriterMemory, snapshot: Position) {
        var memory = await remembered(store, limits, keyring) ?? WriterMemory(limits: limits)
        let snapshot = memory.position
        while !Task.isCancelled {
            let page: [RecordedEvent]
            do {
                page = try await store.read(from: memory.position.next, limit: 4096)
            } catch {
                throw CommandError(error)
            }
            guard let last = page.last else { return (memory, snapshot) }
            for recorded in page {
                memory.evolve(recorded)
                observe(recorded)
            }
            memory.idempotency.trim(now: last.event.time)
        }
        throw .stopped("the fold of the log was interrupted")
    }

    /// The newest snapshot, when it is of this log: a log that was put back from a backup may have gone another way.
    private static func remembered(
        _ store: EventStore, _ limits: Limits, _ keyring: KeyringMark?
    ) async -> WriterMemory? {
        guard let snapshot = await store.newestSnapshot(),
            let (memory, mark) = WriterMemory.read(snapshot: snapshot.contents, limits: limits),
            keyring.map({ keyring in mark.map(keyring.continues) ?? false }) ?? true,
            memory.position == snapshot.position, memory.position <= store.durablePosition,
            let event = try? await store.read(from: memory.position, limit: 1).first,
            event.position == memory.position, event.event.id == memory.lastEventID
        else { return nil }
        return memory
    }

    /// How many things are remembered.
    var count: Int {
        state.runs.count + state.accessRequests.count + state.resources.count + state.apiKeys.count
            + state.secretCount + state.builds.count + idempotency.count
    }

    /// Folds newly decided events, which take the next positions.
    mutating func evolve(_ events: [Event], now: Timestamp) {
        for event in events { evolve(RecordedEvent(position: position.next, event: event)) }
        idempotency.trim(now: now)
    }

    /// Folds the event that follows `position`.
    package mutating func evolve(_ recorded: RecordedEvent) {
        state.evolve(recorded.event)
        idempotency.evolve(recorded)
        position = recorded.position
        time = max(time, recorded.event.time)
        lastEventID = recorded.event.id
    }
}
