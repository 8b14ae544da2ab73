/// The model calls of an unfinished run whose responses are recorded, in the order of recording.
package struct ModelCallJournal: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        package let id: ModelCallID
        package let identity: UUIDValue
        /// False when the response was too large to keep; the entry then only keeps its place in the order.
        package fileprivate(set) var isKept: Bool
        /// The turn of the call.
        package let turn: UInt32
        /// The latest attempt that made the call.
        package fileprivate(set) var attempt: UInt32

        package init(id: ModelCallID, identity: UUIDValue, isKept: Bool, turn: UInt32, attempt: UInt32) {
            self.id = id
            self.identity = identity
            self.isKept = isKept
            self.turn = turn
            self.attempt = attempt
        }
    }

    package private(set) var entries: [Entry] = []
    /// The bytes of all responses that were recorded.
    package private(set) var answerBytes: UInt64 = 0
    private var byIdentity: [UUIDValue: [Int]] = [:]
    private var byID: [ModelCallID: Int] = [:]

    package init() {}

    /// A journal as it was remembered before.
    package init(entries: [Entry], answerBytes: UInt64) {
        for entry in entries { append(entry) }
        self.answerBytes = answerBytes
    }

    /// The entry for the next call of that identity: the earliest that this attempt has not taken yet.
    ///
    /// A handler that restarts repeats all calls of its run; any other attempt repeats those of its turn. Linear in the
    /// entries of this identity.
    package func next(_ identity: UUIDValue, in calls: ToolCallJournal) -> Entry? {
        for index in byIdentity[identity] ?? [] {
            let entry = entries[index]
            guard entry.attempt < calls.attempt, calls.scope == .run || entry.turn == calls.turn else { continue }
            return entry
        }
        return nil
    }

    /// The number of calls of that identity.
    func count(of identity: UUIDValue) -> Int { byIdentity[identity]?.count ?? 0 }

    /// Records a response: of a new call, or of one whose earlier response was not kept.
    mutating func record(_ recorded: ModelAnswerRecorded, in calls: ToolCallJournal) {
        answerBytes += UInt64(recorded.answer?.count ?? 0)
        if let index = byID[recorded.callID] {
            entries[index].isKept = recorded.answer != nil
            return
        }
        append(
            Entry(
                id: recorded.callID, identity: recorded.identity, isKept: recorded.answer != nil, turn: calls.turn,
                attempt: calls.attempt))
    }

    /// Notes that the current attempt has made the call again.
    mutating func replay(_ id: ModelCallID, in calls: ToolCallJournal) {
        if let index = byID[id] { entries[index].attempt = calls.attempt }
    }

    private mutating func append(_ entry: Entry) {
        byIdentity[entry.identity, default: []].append(entries.count)
        byID[entry.id] = entries.count
        entries.append(entry)
    }
}
