import Domain

/// Runs that were read of late, with their actions: clients ask for the same one again and again while it works.
///
/// Exact: a batch of events takes its runs out before it is shown, and what was read beside a batch is not taken in.
struct RunCache {
    struct Entry {
        let run: RunRecord
        let actions: [ActionRecord]

        /// Whether it is small enough to be kept; few are not.
        fileprivate var isSmall: Bool {
            actions.count <= 16 && (run.initialMessage?.utf8.count ?? 0) <= 4096
        }
    }

    /// Runs in each of the two generations. One that nobody asked for while a generation filled is forgotten with the next.
    private static let generationMax = 1024

    /// The newest position whose runs have been taken out.
    private(set) var position: Position
    private var young: [RunID: Entry] = [:]
    private var old: [RunID: Entry] = [:]

    init(position: Position) { self.position = position }

    mutating func entry(_ id: RunID) -> Entry? {
        if let entry = young[id] { return entry }
        guard let entry = old.removeValue(forKey: id) else { return nil }
        keep(entry)
        return entry
    }

    /// Takes in what was read when the cache stood at `position`, unless a batch has been applied meanwhile.
    mutating func insert(_ entry: Entry, readAt position: Position) {
        guard position == self.position, entry.isSmall else { return }
        keep(entry)
    }

    /// Takes out every run that the batch is about.
    mutating func apply(_ batch: [RecordedEvent]) {
        for recorded in batch where [.run, .expiry].contains(recorded.event.stream.kind) {
            let id = RunID(recorded.event.stream.id)
            young[id] = nil
            old[id] = nil
        }
        position = batch.last?.position ?? position
    }

    mutating func advance(to position: Position) { self.position = position }

    private mutating func keep(_ entry: Entry) {
        if young.count >= Self.generationMax {
            old = young
            young = [:]
        }
        young[entry.run.id] = entry
    }
}
