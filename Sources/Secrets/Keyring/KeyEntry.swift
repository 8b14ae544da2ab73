import Domain

/// A wrapped key, and the facts that its slot keeps about it.
struct KeyEntry: Hashable, Sendable {
    var wrapped: [UInt8]
    var note = KeyNote.none
}

/// The facts about a person's key that need not be unwrapped to be known. They are erased with its slot.
struct KeyNote: Hashable, Sendable {
    static let bytesCount = 32
    /// The note of a key that an earlier version has made, and of each key that is no person's.
    static let none = KeyNote(owner: KeyOwner(), person: UUIDValue(high: 0, low: 0))

    /// The workspace and the principal that the key counts for.
    let owner: KeyOwner
    /// The person's id in the log; zero when it is not noted.
    let person: UUIDValue
}

extension KeyNote {
    /// - Parameter bytes: 32 of them.
    init(_ bytes: ArraySlice<UInt8>) {
        let numbers = (0..<4).map { UInt64(bigEndianBytes: bytes, at: bytes.startIndex + 8 * $0) }
        self.init(
            owner: KeyOwner(workspace: numbers[0], principal: numbers[1]),
            person: UUIDValue(high: numbers[2], low: numbers[3]))
    }

    var bytes: [UInt8] {
        owner.workspace.bigEndianBytes + owner.principal.bigEndianBytes + person.high.bigEndianBytes
            + person.low.bigEndianBytes
    }
}
