/// What the log has at a position: the record, or its hash alone when the record is not kept any more.
package enum LogRecord: Hashable, Sendable {
    case kept([UInt8])
    /// The RFC 6962 leaf hash of the record that was here.
    case pruned(leafHash: [UInt8])

    /// The record's bytes; `nil` when they are not kept.
    package var bytes: [UInt8]? { if case .kept(let bytes) = self { bytes } else { nil } }

    package var leafHash: [UInt8] {
        switch self {
        case .kept(let bytes): MerkleHash.leaf(bytes)
        case .pruned(let hash): hash
        }
    }

    /// What the batch of a frame with pruned records has before the record: twice its length, or 1 before a hash.
    var mark: UInt64 {
        switch self {
        case .kept(let bytes): UInt64(bytes.count) << 1
        case .pruned: 1
        }
    }

    /// What is stored of it: its bytes or its hash.
    package var content: [UInt8] {
        switch self {
        case .kept(let bytes): bytes
        case .pruned(let hash): hash
        }
    }
}
