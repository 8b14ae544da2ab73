import Projections
import Synchronization

/// Values made of stored documents, for as long as no document is stored or deleted. Bounded: beyond `countMax` values it
/// begins again.
final class DocumentCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let projections: Projections
    private let countMax: Int
    /// With the number of changes of documents before the values were made.
    private let kept = Mutex((changes: UInt64(0), values: [Key: Value]()))

    init(_ projections: Projections, countMax: Int) {
        self.projections = projections
        self.countMax = countMax
    }

    /// The value as every acknowledged change has left it.
    func value<Failure: Error>(
        of key: Key, _ make: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        // Read first: a change during `make` has the next call make the value again.
        let changes = projections.resourceChanges
        if let value = value(of: key, after: changes) { return value }
        let value = try await make()
        keep(value, of: key, after: changes)
        return value
    }

    /// The same on the caller's thread.
    func value<Failure: Error>(of key: Key, _ make: () throws(Failure) -> Value) throws(Failure) -> Value {
        let changes = projections.resourceChanges
        if let value = value(of: key, after: changes) { return value }
        let value = try make()
        keep(value, of: key, after: changes)
        return value
    }

    private func value(of key: Key, after changes: UInt64) -> Value? {
        kept.withLock { $0.changes == changes ? $0.values[key] : nil }
    }

    private func keep(_ value: Value, of key: Key, after changes: UInt64) {
        kept.withLock { kept in
            guard changes >= kept.changes else { return }
            if changes > kept.changes || kept.values.count >= countMax { kept.values.removeAll() }
            kept.changes = changes
            kept.values[key] = value
        }
    }
}
