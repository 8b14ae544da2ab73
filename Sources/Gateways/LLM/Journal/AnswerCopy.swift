/// A copy of an answer that passes, up to a limit.
package struct AnswerCopy: Hashable, Sendable {
    private let bytesMax: Int
    /// All bytes so far; `nil` once they exceed the limit.
    package private(set) var bytes: [UInt8]? = []

    package init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// Adds the next part.
    package mutating func append(_ part: some Collection<UInt8>) {
        guard let count = bytes?.count else { return }
        guard part.count <= bytesMax - count else { return bytes = nil }
        bytes? += part
    }
}
