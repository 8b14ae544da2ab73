package import Domain

/// Says when the memory is worth keeping: often enough that a start folds little, rarely enough to cost next to nothing.
package struct SnapshotSchedule: Sendable {
    /// A start folds about this many events at most, which takes less than a second.
    package static let eventsMin: UInt64 = 200_000

    private let eventsMin: UInt64
    private var newest: Position
    private var isSaving = false

    package init(newest: Position, eventsMin: UInt64 = eventsMin) {
        self.newest = newest
        self.eventsMin = eventsMin
    }

    /// Whether to save now; until `saved` no other save is due. A large memory, which takes longer to write, is written
    /// after more events.
    package mutating func isDue(at position: Position, memoryCount: Int) -> Bool {
        guard !isSaving, position.value - newest.value >= max(eventsMin, 4 * UInt64(memoryCount)) else { return false }
        isSaving = true
        return true
    }

    /// Whether a last one is worth writing.
    package func isDueAtEnd(at position: Position) -> Bool { position > newest }

    /// A save has ended; a failed one is tried again after as many events as any other.
    package mutating func saved(at position: Position) {
        newest = max(newest, position)
        isSaving = false
    }
}
