import EventLog
import Foundation

/// The head of a log's tree (C2SP tlog-checkpoint): whoever has one can tell whether the log still says what it did.
package struct Checkpoint: Hashable, Sendable {
    /// Which log it is of: the name of the key that signs.
    package let origin: String
    /// How many events are under it.
    package let size: UInt64
    package let root: [UInt8]

    package init(origin: String, size: UInt64, root: [UInt8]) {
        self.origin = origin
        self.size = size
        self.root = root
    }

    /// Reads the text of a note; `nil` when it is no checkpoint.
    package init?(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 4, !lines[0].isEmpty, let size = UInt64(lines[1]), String(size) == lines[1],
            let root = Data(base64Encoded: String(lines[2])), root.count == MerkleHash.byteCount
        else { return nil }
        self.init(origin: String(lines[0]), size: size, root: Array(root))
    }

    package var text: String { "\(origin)\n\(size)\n\(Data(root).base64EncodedString())\n" }
}
