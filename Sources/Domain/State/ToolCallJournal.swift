/// The tool calls of an unfinished run: each recorded outcome is given to the call that it belongs to, and no call is
/// silently repeated.
///
/// Calls are told apart by their identity (method, URL, bound headers, body) and, among calls of one identity, by their
/// occurrence, counted from 1 within the run.
package struct ToolCallJournal: Sendable {
    package struct Entry: Hashable, Sendable {
        package enum Stage: UInt8, Hashable, Sendable, CaseIterable {
            /// In flight.
            case open
            /// The agent received an answer, which is recorded.
            case answered
            /// The tool may or may not have carried it out.
            case unknown
            /// It counts no more: the tool was not reached.
            case settled
        }

        package fileprivate(set) var id: ToolCallID
        package let fingerprint: UUIDValue
        /// Its number among the calls of its identity, from 1.
        package fileprivate(set) var occurrence: UInt32
        package fileprivate(set) var stage: Stage
        /// True when it lies before the checkpoint that the agent's loop resumes from.
        package fileprivate(set) var isPast: Bool
        /// The attempt in which the agent asked for it last.
        package fileprivate(set) var attempt: UInt32
        /// True when it repeats a call of unknown outcome.
        package fileprivate(set) var isRepetition: Bool

        /// - Parameter occurrence: set by the journal that the entry becomes part of.
        package init(
            id: ToolCallID, fingerprint: UUIDValue, stage: Stage, attempt: UInt32, occurrence: UInt32 = 0,
            isRepetition: Bool = false, isPast: Bool = false
        ) {
            self.id = id
            self.fingerprint = fingerprint
            self.stage = stage
            self.attempt = attempt
            self.isPast = isPast
            self.occurrence = occurrence
            self.isRepetition = isRepetition
        }
    }

    /// The part of the run whose recorded calls an attempt repeats.
    package enum Scope: UInt8, Hashable, Sendable, CaseIterable {
        /// The calls after the checkpoint that the agent's loop resumes from.
        case checkpoint
        /// The whole run: the agent's handler starts from the top.
        case run
    }

    /// The step that the next call of an identity calls for.
    enum Step: Hashable {
        /// A recorded answer.
        case replay(Entry)
        /// An earlier attempt's call, which is in flight.
        case wait
        /// A call of unknown outcome: the same occurrence again.
        case `repeat`(Entry)
        /// A call without a record, of that occurrence.
        case perform(occurrence: UInt32)
    }

    /// The entries of one identity, in the order of their occurrences.
    private struct Lineup: Sendable {
        var indices: [Int] = []
        /// Every occurrence before this one is out of consideration in the attempt.
        var cursor = 0
        var attempt: UInt32 = 0
    }

    package private(set) var entries: [Entry] = []
    /// Number of turns that the agent has had.
    package private(set) var turn: UInt32 = 0
    /// Number of times that the agent was called; the number of the latest attempt.
    package private(set) var attempt: UInt32 = 0
    /// True when the agent's checkpoints restart its handler from the top.
    package private(set) var restartsHandler = false
    /// The recorded calls that the latest attempt repeats.
    package private(set) var scope = Scope.checkpoint
    private var indicesByID: [ToolCallID: Int] = [:]
    private var lineups: [UUIDValue: Lineup] = [:]

    package init() {}

    /// A journal restored from memory.
    package init(entries: [Entry], turn: UInt32, attempt: UInt32, restartsHandler: Bool, scope: Scope = .checkpoint) {
        self.turn = turn
        self.attempt = attempt
        self.restartsHandler = restartsHandler
        self.scope = scope
        self.entries.reserveCapacity(entries.count)
        for entry in entries { append(entry) }
    }

    /// The same without its calls: what is known of turns and attempts.
    package var withoutCalls: ToolCallJournal {
        ToolCallJournal(entries: [], turn: turn, attempt: attempt, restartsHandler: restartsHandler, scope: scope)
    }

    /// Starts an attempt: of a new turn, or of the latest one again.
    ///
    /// - Parameters:
    ///   - scope: `nil` when the agent left no checkpoint: an agent whose checkpoints do not restart its handler is then
    ///     past all of its earlier turns.
    ///   - checkpointAttempt: the attempt in which a loop left the checkpoint that it resumes from. The checkpoint lies
    ///     after the calls of that attempt, and before those that an earlier attempt made beyond it.
    mutating func beginAttempt(ofNewTurn isNew: Bool, _ scope: Scope?, checkpointAttempt: UInt32? = nil) {
        if isNew { turn += 1 }
        if isNew, scope != .run {
            for index in entries.indices {
                let wasPast = self.scope == .checkpoint && entries[index].isPast
                entries[index].isPast = wasPast || checkpointAttempt.map { $0 == entries[index].attempt } ?? true
            }
        }
        attempt += 1
        self.scope = scope ?? (restartsHandler ? .run : .checkpoint)
    }

    mutating func noteCheckpoint(restartsHandler: Bool) { if restartsHandler { self.restartsHandler = true } }

    mutating func start(_ call: ToolCall) {
        let count = lineups[call.fingerprint]?.indices.count ?? 0
        if let occurrence = call.occurrence, occurrence >= 1, occurrence <= count,
            let index = lineups[call.fingerprint]?.indices[Int(occurrence) - 1]
        {
            reopen(index, as: call.id)
        } else {
            // Before occurrences were recorded, an approval settled the calls of unknown outcome of its identity.
            if call.occurrence == nil, call.actionID != nil, let known = lineups[call.fingerprint]?.indices {
                for index in known where entries[index].stage == .unknown { entries[index].stage = .settled }
            }
            append(
                Entry(id: call.id, fingerprint: call.fingerprint, stage: .open, attempt: attempt))
        }
        advance(call.fingerprint)
    }

    mutating func finish(_ called: ToolCalled) {
        let call = called.call
        let stage: Entry.Stage =
            switch called.outcome {
            case .answered: .answered
            case .unreached: .settled
            case .unknown: call.isSafe ? .settled : .unknown
            }
        if let index = indicesByID[call.id] {
            switch called.outcome {
            // A call that was recorded before it was sent may be under an approval, whatever its method.
            case .unknown: mark(index, .unknown)
            // The tool did not get the repetition: what it did before is as unknown as it was.
            case .unreached where entries[index].isRepetition: mark(index, .unknown)
            case .answered, .unreached: mark(index, stage)
            }
        } else if call.attempt == nil || call.attempt == attempt {
            append(Entry(id: call.id, fingerprint: call.fingerprint, stage: stage, attempt: attempt))
            advance(call.fingerprint)
        }
    }

    mutating func interrupt(_ id: ToolCallID) {
        guard let index = indicesByID[id] else { return }
        mark(index, .unknown)
    }

    mutating func replay(_ id: ToolCallID) {
        guard let index = indicesByID[id] else { return }
        entries[index].attempt = attempt
        advance(entries[index].fingerprint)
    }

    /// The step for the next call of that identity in the latest attempt: the earliest record that the attempt has not
    /// taken yet, else a new occurrence.
    ///
    /// A call of unknown outcome comes first in any attempt and turn, until it is made again. In a run without attempts,
    /// which its client drives, a call that may not be repeated waits for the one in flight.
    func next(_ fingerprint: UUIDValue, isRepeatable: Bool) -> Step {
        guard let lineup = lineups[fingerprint] else { return .perform(occurrence: 1) }
        let start = lineup.attempt == attempt ? lineup.cursor : 0
        for index in lineup.indices[start...] {
            let entry = entries[index]
            switch entry.stage {
            case .unknown: return .repeat(entry)
            case .answered where isAhead(entry): return .replay(entry)
            case .open where isAhead(entry) && !(attempt == 0 && isRepeatable): return .wait
            case .open, .answered, .settled: continue
            }
        }
        return .perform(occurrence: UInt32(lineup.indices.count + 1))
    }

    /// The identity under which the journal knows a call: its current form, or an earlier one under which it was recorded.
    package func fingerprint(_ current: UUIDValue, earlier: [UUIDValue]) -> UUIDValue {
        lineups[current] != nil ? current : earlier.first { lineups[$0] != nil } ?? current
    }

    /// The entry of a call.
    func entry(_ id: ToolCallID) -> Entry? { indicesByID[id].map { entries[$0] } }

    /// True when an earlier call of that identity may have been carried out.
    func isUnknown(_ fingerprint: UUIDValue) -> Bool {
        lineups[fingerprint]?.indices.contains { entries[$0].stage == .unknown } ?? false
    }

    /// True when a call of that identity is in flight.
    func isOpen(_ fingerprint: UUIDValue) -> Bool {
        lineups[fingerprint]?.indices.contains { entries[$0].stage == .open } ?? false
    }

    /// The calls in flight.
    package var open: [Entry] { entries.filter { $0.stage == .open } }

    /// True when the latest attempt repeats the entry and has not come to it yet.
    private func isAhead(_ entry: Entry) -> Bool {
        guard attempt > 0 else { return entry.stage == .open }
        return entry.attempt < attempt && (scope == .run || !entry.isPast)
    }

    private mutating func append(_ entry: Entry) {
        var entry = entry
        entry.occurrence = UInt32(lineups[entry.fingerprint, default: Lineup()].indices.count + 1)
        lineups[entry.fingerprint, default: Lineup()].indices.append(entries.count)
        indicesByID[entry.id] = entries.count
        entries.append(entry)
    }

    private mutating func reopen(_ index: Int, as id: ToolCallID) {
        indicesByID[entries[index].id] = nil
        indicesByID[id] = index
        entries[index].id = id
        entries[index].stage = .open
        entries[index].isRepetition = true
        (entries[index].isPast, entries[index].attempt) = (false, attempt)
    }

    private mutating func mark(_ index: Int, _ stage: Entry.Stage) {
        entries[index].stage = stage
        let entry = entries[index]
        guard stage == .unknown, let cursor = lineups[entry.fingerprint]?.cursor else { return }
        lineups[entry.fingerprint]?.cursor = min(cursor, Int(entry.occurrence) - 1)
    }

    /// Moves the cursor past the occurrences that the latest attempt is done with, so that a long run of like calls is
    /// not searched from its beginning by each of them.
    private mutating func advance(_ fingerprint: UUIDValue) {
        guard let lineup = lineups[fingerprint] else { return }
        var cursor = lineup.attempt == attempt ? lineup.cursor : 0
        while cursor < lineup.indices.count {
            let entry = entries[lineup.indices[cursor]]
            guard entry.stage != .unknown, entry.stage == .settled || !isAhead(entry) else { break }
            cursor += 1
        }
        lineups[fingerprint]?.cursor = cursor
        lineups[fingerprint]?.attempt = attempt
    }
}

extension ToolCallJournal: Hashable {
    package static func == (left: Self, right: Self) -> Bool {
        left.entries == right.entries && left.turn == right.turn && left.attempt == right.attempt
            && left.restartsHandler == right.restartsHandler && left.scope == right.scope
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(entries)
        hasher.combine(turn)
        hasher.combine(attempt)
        hasher.combine(restartsHandler)
        hasher.combine(scope)
    }
}
