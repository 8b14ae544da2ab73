/// The calls of tools that an unfinished run has made, so that none is made twice unawares.
package struct ToolCallJournal: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        package enum Stage: UInt8, Hashable, Sendable, CaseIterable {
            /// On its way.
            case open
            /// The agent got an answer, which is recorded.
            case answered
            /// Nobody knows whether the tool did it.
            case unknown
            /// It counts no more: the tool was not reached, or a person let a call of unknown outcome be made again.
            case settled
        }

        package let id: ToolCallID
        package let fingerprint: UUIDValue
        package var stage: Stage
        /// The turn it was made in, and the attempt of a turn in which the agent asked for it last.
        package let turn: UInt32
        package var attempt: UInt32

        package init(id: ToolCallID, fingerprint: UUIDValue, stage: Stage, turn: UInt32, attempt: UInt32) {
            self.id = id
            self.fingerprint = fingerprint
            self.stage = stage
            self.turn = turn
            self.attempt = attempt
        }
    }

    package private(set) var entries: [Entry] = []
    /// How many turns the agent has had, counted from its first call; and how often it was called for one.
    package private(set) var turn: UInt32 = 0
    package private(set) var attempt: UInt32 = 0
    /// Whether the agent's handler begins anew in every turn.
    package private(set) var restartsHandler = false

    package init() {}

    /// A journal as it was remembered before.
    package init(entries: [Entry], turn: UInt32, attempt: UInt32, restartsHandler: Bool) {
        self.entries = entries
        self.turn = turn
        self.attempt = attempt
        self.restartsHandler = restartsHandler
    }

    /// The agent is called: for a new turn, or for one that did not come to its end.
    mutating func beginAttempt(ofNewTurn isNew: Bool) {
        if isNew { turn += 1 }
        attempt += 1
    }

    mutating func noteCheckpoint(restartsHandler: Bool) { if restartsHandler { self.restartsHandler = true } }

    mutating func start(_ call: ToolCall) {
        // Whoever approves an action decides about an earlier call of which nobody knows.
        if call.actionID != nil {
            for index in entries.indices where entries[index].isUnknown(call.fingerprint) {
                entries[index].stage = .settled
            }
        }
        entries.append(
            Entry(id: call.id, fingerprint: call.fingerprint, stage: .open, turn: turn, attempt: attempt))
    }

    mutating func finish(_ called: ToolCalled) {
        let stage: Entry.Stage =
            switch called.outcome {
            case .answered: .answered
            case .unreached: .settled
            case .unknown: .unknown
            }
        if let index = entries.lastIndex(where: { $0.id == called.call.id }) {
            entries[index].stage = stage
        } else {
            entries.append(
                Entry(
                    id: called.call.id, fingerprint: called.call.fingerprint, stage: stage, turn: turn,
                    attempt: attempt))
        }
    }

    mutating func interrupt(_ id: ToolCallID) {
        guard let index = entries.lastIndex(where: { $0.id == id }) else { return }
        entries[index].stage = .unknown
    }

    mutating func replay(_ id: ToolCallID) {
        guard let index = entries.lastIndex(where: { $0.id == id }) else { return }
        entries[index].attempt = attempt
    }

    /// The recorded call that comes again: each is given out once an attempt, the earliest first.
    ///
    /// A handler that begins anew repeats all of its run's calls, and an attempt those of its own turn. What an agent
    /// asks for twice within one attempt is two calls.
    func repeated(_ fingerprint: UUIDValue) -> Entry? {
        entries.first { entry in
            entry.fingerprint == fingerprint && entry.stage == .answered && entry.attempt < attempt
                && (restartsHandler || entry.turn == turn)
        }
    }

    /// The fingerprint of a call in this journal: `earlier`, its form from before headers were bound, where a call was
    /// recorded under that one, so that it is still the same call.
    package func fingerprint(_ current: UUIDValue, earlier: UUIDValue) -> UUIDValue {
        entries.contains { $0.fingerprint == earlier } ? earlier : current
    }

    /// Whether an earlier call like this one may have been carried out, for all that is known.
    func isUnknown(_ fingerprint: UUIDValue) -> Bool { entries.contains { $0.isUnknown(fingerprint) } }

    /// Whether a call like this one is on its way.
    func isOpen(_ fingerprint: UUIDValue) -> Bool {
        entries.contains { $0.fingerprint == fingerprint && $0.stage == .open }
    }

    /// The calls that are on their way.
    package var open: [Entry] { entries.filter { $0.stage == .open } }
}

extension ToolCallJournal.Entry {
    fileprivate func isUnknown(_ fingerprint: UUIDValue) -> Bool {
        self.fingerprint == fingerprint && stage == .unknown
    }
}
