package import Domain
import EventLog

/// What was folded from the log, kept beside it; to delete it costs time and nothing else.
extension EventStore {
    /// Keeps `contents` as what the log comes to at `position`; nothing when there is no place for snapshots.
    package func saveSnapshot(_ contents: [UInt8], at position: Position) async throws(EventStoreError) {
        do {
            try await snapshots?.save(SnapshotFile.Snapshot(position: position.value, contents: contents))
        } catch {
            throw .snapshot("\(error)")
        }
    }

    /// The newest snapshot; `nil` when there is none, or none that can be read.
    package func newestSnapshot() async -> (position: Position, contents: [UInt8])? {
        guard let snapshot = try? await snapshots?.newest() else { return nil }
        return (Position(snapshot.position), snapshot.contents)
    }
}
