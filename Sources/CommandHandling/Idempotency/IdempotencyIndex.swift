import Domain

/// Which idempotency keys were used lately, and where in the log their events and answers are.
///
/// Bounded by number and age: the oldest key is forgotten first.
struct IdempotencyIndex: Sendable {
    struct Entry: Sendable {
        let fingerprint: UUIDValue
        let first: Position
        var count: Int
        var answer: Position?
        let time: Timestamp

        /// The last position that belongs to the command.
        var last: Position { Position(first.value + UInt64(max(count, 1)) - 1) }
    }

    private struct Key: Hashable {
        let workspace: WorkspaceName
        let key: String
    }

    private let keysMax: Int
    private let retention: Duration
    private var entries: [Key: Entry] = [:]
    /// Keys in the order of their first use; those before `oldest` are gone already.
    private var order: [Key] = []
    private var oldest = 0
    private var latest: Key?

    init(limits: Limits) {
        keysMax = limits.idempotencyKeysMax
        retention = limits.idempotencyRetention
    }

    var count: Int { entries.count }

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
            let key = order[oldest]
            guard let entry = entries[key] else {
                oldest += 1
                continue
            }
            guard entries.count > keysMax || now.since(entry.time) > retention else { break }
            entries[key] = nil
            oldest += 1
        }
        if oldest > 1024, oldest > order.count / 2 {
            order.removeFirst(oldest)
            oldest = 0
        }
    }

    private mutating func insert(_ key: Key, _ token: IdempotencyToken, _ recorded: RecordedEvent, count: Int) {
        entries[key] = Entry(
            fingerprint: token.fingerprint, first: recorded.position, count: count, answer: nil,
            time: recorded.event.time)
        order.append(key)
    }
}
