package import Domain
import EventLog
import Foundation

/// The hashes of `GET /audit/proof/consistency`.
package struct ConsistencyProof: Hashable, Sendable {
    private let hashes: [[UInt8]]

    /// Reads the answer; `nil` when it is none.
    package init?(_ answer: JSONValue) {
        guard case .array(let values)? = answer["consistency"] else { return nil }
        hashes = values.compactMap { $0.string.flatMap { Data(base64Encoded: $0) }.map(Array.init) }
        guard hashes.count == values.count else { return nil }
    }

    /// Whether it shows that the newer tree begins with the older one.
    package func leads(from old: Checkpoint, to new: Checkpoint) -> Bool {
        old.origin == new.origin
            && MerkleProof.isConsistent(
                oldSize: old.size, oldRoot: old.root, size: new.size, root: new.root, proof: hashes)
    }
}
