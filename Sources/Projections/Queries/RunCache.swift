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
            actions.count <= 16 && run.listedBytes <= 9216
        }
    }

    /// Runs in each of the two generations. One that nobody asked for while a generation filled is forgotten with the next.
    private static let generationMax = 1024

    /// When something was read: what it shows cannot be newer than its position, nor older than the last `forget`.
    struct Moment: Equatable {
        fileprivate var position: Position
        fileprivate var renewals = 0
    }

    /// The newest position whose runs have been taken out.
    private(set) var moment: Moment
    private var young: [RunID: Entry] = [:]
    private var old: [RunID: Entry] = [:]

    init(position: Position) { moment = Moment(position: position) }

    mutating func entry(_ id: RunID) -> Entry? {
        if let entry = young[id] { return entry }
        guard let entry = old.removeValue(forKey: id) else { return nil }
        keep(entry)
        return entry
    }

    /// Takes in what was read at that moment of the cache, unless a batch has been applied meanwhile.
    mutating func insert(_ entry: Entry, readAt moment: Moment) {
        guard moment == self.moment, entry.isSmall else { return }
        keep(entry)
    }

    /// Takes out every run that the batch is about.
    mutating func apply(_ batch: [RecordedEvent]) {
        for recorded in batch where [.run, .expiry].contains(recorded.event.stream.kind) {
            let id = RunID(recorded.event.stream.id)
            young[id] = nil
            old[id] = nil
        }
        moment.position = batch.last?.position ?? moment.position
    }

    /// Takes out every run.
    mutating func forget() {
        moment.renewals += 1
        young = [:]
        old = [:]
    }

    /// Nothing has happened up to that position.
    mutating func advance(to position: Position) { moment.position = position }

    private mutating func keep(_ entry: Entry) {
        if young.count >= Self.generationMax {
            old = young
            young = [:]
        }
        young[entry.run.id] = entry
    }
}
