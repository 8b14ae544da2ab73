import Domain

/// Which idempotency keys were used lately, and where in the log their events and answers are.
///
/// Bounded by age and number. Every principal has a namespace of its own, and a share of the number; a new key beyond that is
/// refused, because forgetting one that is live would let its request be carried out twice. Where a log has more keys
/// than may be remembered, since the limit was lowered, the oldest of a principal that has more than its part is
/// forgotten first.
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
        /// Stands for the principal.
        let scope: UInt64
        let key: String

        init(workspace: WorkspaceName, scope: UInt64, key: String) {
            self.workspace = workspace
            self.scope = scope
            self.key = key
        }

        init(_ token: IdempotencyToken, _ workspace: WorkspaceName) {
            self.init(workspace: workspace, scope: token.scope, key: token.key)
        }

        fileprivate var holder: Holder { Holder(workspace: workspace, scope: scope) }
    }

    fileprivate struct Holder: Hashable, Sendable {
        let workspace: WorkspaceName
        let scope: UInt64
    }

    private struct Use: Sendable {
        let key: Key
        let first: Position
    }

    private let keysMax: Int
    private let rule: ShareRule
    private let retention: Duration
    private var entries: [Key: Entry] = [:]
    /// Uses of keys, oldest first; those before `oldest` are gone already, and so is one that its key was used after.
    private var order: [Use] = []
    private var oldest = 0
    /// The place at which the next search for a key to forget begins.
    private var searched = 0
    private var counts: [Holder: Int] = [:]
    /// The key of the newest command, while more of its events may follow.
    private(set) var latest: Key?

    init(limits: Limits) {
        keysMax = limits.idempotencyKeysMax
        rule = ShareRule(total: keysMax, percent: limits.sharePercent)
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
        entries[Key(token, workspace)]
    }

    /// Refuses a new key when its principal, or all together, have as many as may be remembered.
    func checkRoom(for token: IdempotencyToken, _ workspace: WorkspaceName) throws(Rejection) {
        let held = counts[Key(token, workspace).holder, default: 0]
        guard let refusal = rule.refusal(of: 1, held: held, taken: entries.count) else { return }
        let (holder, number) = refusal == .exhausted ? ("the daemon", entries.count) : ("this key or person", held)
        throw Rejection(
            refusal == .exhausted ? .limitReached : .shareExceeded,
            "\(holder) has used \(number) values of Idempotency-Key in the last \(retention), as many as are remembered: send the "
                + "request without one, raise idempotency-keys-max, or shorten idempotency-retention")
    }

    /// The use that a version recorded in which all principals' keys were one namespace: told by its whole fingerprint.
    func entryOfEarlierVersion(_ token: IdempotencyToken, _ workspace: WorkspaceName) -> Entry? {
        guard let fingerprint = token.earlierFingerprint,
            let entry = entries[Key(workspace: workspace, scope: fingerprint.high, key: token.key)],
            entry.fingerprint == fingerprint
        else { return nil }
        return entry
    }

    /// The position of the answer that is recorded for the token.
    func answer(to token: IdempotencyToken, _ workspace: WorkspaceName) -> Position? {
        (entry(token, workspace) ?? entryOfEarlierVersion(token, workspace))?.answer
    }

    mutating func evolve(_ recorded: RecordedEvent) {
        let event = recorded.event
        if case .answerRecorded(let answer) = event.payload {
            let key = Key(answer.token, event.workspace)
            if entries[key] == nil { insert(key, answer.token, recorded, count: 0) }
            if entries[key]?.answer == nil { entries[key]?.answer = recorded.position }
        } else if let token = event.causation.idempotency {
            let key = Key(token, event.workspace)
            if let old = entries[key], old.fingerprint != token.fingerprint || event.causation.index == 0 {
                remove(key)
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
            guard now.since(entry.time) > retention else { break }
            remove(use.key)
            oldest += 1
        }
        while entries.count > keysMax { removeOneTooMany() }
        // Uses whose key was forgotten, or used again, are left behind in between.
        if order.count > 2 * entries.count + 1024 {
            order = order[oldest...].filter { entries[$0.key]?.first == $0.first }
            (oldest, searched) = (0, 0)
        }
    }

    /// Forgets the oldest key of a principal that has more than an equal part of what may be remembered. There is one as
    /// long as there are too many.
    private mutating func removeOneTooMany() {
        let part = keysMax / max(counts.count, 1)
        searched = max(searched, oldest)
        for _ in 0...order.count {
            if searched >= order.count { searched = oldest }
            let use = order[searched]
            searched += 1
            if entries[use.key]?.first == use.first, counts[use.key.holder, default: 0] > part {
                return remove(use.key)
            }
        }
        preconditionFailure("one of n holders of more than m keys has more than m / n")
    }

    private mutating func remove(_ key: Key) {
        guard entries.removeValue(forKey: key) != nil else { return }
        let rest = counts[key.holder, default: 1] - 1
        counts[key.holder] = rest == 0 ? nil : rest
    }

    private mutating func insert(_ key: Key, _ token: IdempotencyToken, _ recorded: RecordedEvent, count: Int) {
        insert(
            key,
            Entry(
                fingerprint: token.fingerprint, first: recorded.position, count: count, answer: nil,
                time: recorded.event.time))
    }

    private mutating func insert(_ key: Key, _ entry: Entry) {
        if entries.updateValue(entry, forKey: key) == nil { counts[key.holder, default: 0] += 1 }
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
