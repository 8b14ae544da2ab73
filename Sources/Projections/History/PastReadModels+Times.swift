package import Domain
import EventStore

extension PastReadModels {
    /// The last position whose event is not later than the time; 0 when all are. Events' times never go back.
    package func position(at time: Timestamp) async throws(ProjectionError) -> Position {
        var (low, high) = (UInt64(0), newest.value)
        while low < high {
            let middle = low + (high - low + 1) / 2
            // The one of the next position that is kept tells when: times never go back.
            guard let event = try await event(from: Position(middle)) else { return Position(low) }
            if event.time <= time { low = middle } else { high = middle - 1 }
        }
        return Position(low)
    }

    /// When the position's event was recorded, or the next one's that is kept; `nil` where there is none.
    package func time(of position: Position) async throws(ProjectionError) -> Timestamp? {
        try await event(from: position)?.time
    }

    private func event(from position: Position) async throws(ProjectionError) -> Event? {
        guard position > .zero else { return nil }
        do {
            return try await store.read(from: position, limit: 1).first?.event
        } catch {
            throw .wrapping(error)
        }
    }
}
