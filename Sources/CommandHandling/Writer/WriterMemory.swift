package import Domain
import EventStore

/// Everything the writer remembers, folded from the log: the unfinished, and the idempotency keys of late.
package struct WriterMemory: Sendable {
    package private(set) var state = ActiveState()
    var idempotency: IdempotencyIndex
    /// The newest position decided; it becomes durable a moment later.
    package private(set) var position: Position = .zero
    /// The newest event's time: the next one is not earlier, even when the clock was set back.
    private(set) var time = Timestamp(microseconds: 0)

    /// The memory of an empty log.
    package init(limits: Limits) { idempotency = IdempotencyIndex(limits: limits) }

    /// Reads the whole log.
    static func folding(_ store: EventStore, limits: Limits) async throws(CommandError) -> WriterMemory {
        var memory = WriterMemory(limits: limits)
        do {
            while true {
                let page = try await store.read(from: memory.position.next, limit: 4096)
                guard let last = page.last else { return memory }
                for recorded in page { memory.evolve(recorded) }
                memory.idempotency.trim(now: last.event.time)
            }
        } catch {
            throw .stopped("\(error)")
        }
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
    }
}
