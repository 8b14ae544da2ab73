import Domain
import EventStore
import GRDB

/// Brings the search index up to date at the end of a batch: each run that changed once, in the order of positions, as
/// the index is fastest.
final class RunTexts {
    /// The indexed words of the runs that this batch changes; `nil` for those that are not indexed.
    private var former: [RunID: (position: Int64, text: RunText)?] = [:]

    /// Remembers the indexed words of a run, before the first change of its tables in the batch.
    func willChange(_ id: RunID, _ db: Database) throws {
        guard former[id] == nil else { return }
        former[id] = .some(try RunText.read(id, db))
    }

    func finish(_ db: Database) throws {
        var changes: [(position: Int64, old: RunText?, new: RunText?)] = []
        for (id, old) in former {
            let new = try RunText.read(id, db)
            guard let position = old?.position ?? new?.position, old?.text != new?.text else { continue }
            changes.append((position, old?.text, new?.text))
        }
        guard !changes.isEmpty else { return }
        for change in changes.sorted(by: { $0.position < $1.position }) {
            try change.old?.delete(db)
            try change.new?.insert(db)
        }
        let deletedCount = changes.count { $0.old != nil && $0.new == nil }
        guard deletedCount > 0 else { return }
        try db.run("UPDATE run_text_deletions SET count = count + ? WHERE id = 1", [deletedCount])
    }
}
