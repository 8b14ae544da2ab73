import Domain

/// Which idempotency keys were used lately, and where in the log their events and answers are.
///
/// Bounded by number and age: the oldest key is forgotten first.
struct IdempotencyIndex: Sendable {
    struct Entry: Hashable, Sendable {
        let fingerprint: UUIDValue
        let first: Position
        var count: Int
        var answer: Position?
        let time: Timestamp

        /// The last position that belongs to the command.
        var last: Position { Position(first.value + UInt64(max(count, 1)) - 1) }
    }

    struct Key: Hashable, Sendable {
        let workspace: WorkspaceName
        let key: String
    }

    private struct Use: Sendable {
        let key: Key
        let first: Position
    }

    private let keysMax: Int
    private let retention: Duration
    private var entries: [Key: Entry] = [:]
    /// Uses of keys, oldest first; those before `oldest` are gone already, and so is one that its key was used after.
    private var order: [Use] = []
    private var oldest = 0
    /// The key of the newest command, while more of its events may follow.
    private(set) var latest: Key?

    init(limits: Limits) {
        keysMax = limits.idempotencyKeysMax
        retention = limits.idempotencyRetention
    }

    /// The index as it was remembered before: `uses` oldest first, `nil` when one key is in it twice.
    init?(limits: Limits, uses: [(key: Key, entry: Entry)], latest: Key?) {
        self.init(limits: limits)
        entries.reserveCapacity(uses.count)
        order.reserveCapacity(uses.count)
        for (key, entry) in uses { insert(key, entry) }
        self.latest = latest
        guard entries.count == uses.count else { return nil }
    }

    var count: Int { entries.count }

    /// Every use that counts, oldest first.
    var uses: some Sequence<(key: Key, entry: Entry)> {
        order[oldest...].lazy.compactMap { use in
            entries[use.key].flatMap { $0.first == use.first ? (use.key, $0) : nil }
        }
    }

    func entry(_ token: IdempotencyToken, _ workspace: WorkspaceName) -> Entry? {
        entries[Key(workspace: workspace, key: token.key)]
    }

    mutating func evolve(_ recorded: RecordedEvent) {
        let event = recorded.event
        if case .answerRecorded(let answer) = event.payload {
            let key = Key(workspace: event.workspace, key: answer.token.key)
            if entries[key] == nil { insert(key, answer.token, recorded, count: 0) }
            if entries[key]?.answer == nil { entries[key]?.answer = recorded.position }
        } else if let token = event.causation.idempotency {
            let key = Key(workspace: event.workspace, key: token.key)
            if let old = entries[key], old.fingerprint != token.fingerprint || event.causation.index == 0 {
                entries[key] = nil
            }
            insert(key, token, recorded, count: 1)
            latest = key
        } else if event.causation.index > 0, let latest,
            let entry = entries[latest], recorded.position == entry.last.next
        {
            entries[latest]?.count += 1
        } else {
            latest = nil
        }
    }

    /// Forgets what is older than the retention, or too many.
    mutating func trim(now: Timestamp) {
        while oldest < order.count {
            let use = order[oldest]
            guard let entry = entries[use.key], entry.first == use.first else {
                oldest += 1
                continue
            }
            guard entries.count > keysMax || now.since(entry.time) > retention else { break }
            entries[use.key] = nil
            oldest += 1
        }
        if oldest > 1024, oldest > order.count / 2 {
            order.removeFirst(oldest)
            oldest = 0
        }
    }

    private mutating func insert(_ key: Key, _ token: IdempotencyToken, _ recorded: RecordedEvent, count: Int) {
        insert(
            key,
            Entry(
                fingerprint: token.fingerprint, first: recorded.position, count: count, answer: nil,
                time: recorded.event.time))
    }

    private mutating func insert(_ key: Key, _ entry: Entry) {
        entries[key] = entry
        order.append(Use(key: key, first: entry.first))
    }
}

extension IdempotencyIndex: Equatable {
    /// Whether both answer alike, now and after further events.
    static func == (left: Self, right: Self) -> Bool {
        left.entries == right.entries && left.latest == right.latest
            && left.uses.map(\.key) == right.uses.map(\.key)
    }
}
