/// Lines of a stream that comes in pieces, never more than one unfinished line in memory.
package struct LineFrames: Sendable {
    private let lineBytesMax: Int
    private var rest: [UInt8] = []

    package init(lineBytesMax: Int) { self.lineBytesMax = lineBytesMax }

    /// The lines that the bytes finish, without their ends (LF or CRLF).
    ///
    /// - Throws: when a line is longer than the limit.
    package mutating func read(_ bytes: some Sequence<UInt8>) throws(BrokenStream) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        for byte in bytes {
            guard byte == UInt8(ascii: "\n") else {
                guard rest.count < lineBytesMax else {
                    throw BrokenStream("a line is longer than \(lineBytesMax) bytes")
                }
                rest.append(byte)
                continue
            }
            if rest.last == UInt8(ascii: "\r") { rest.removeLast() }
            lines.append(rest)
            rest.removeAll(keepingCapacity: true)
        }
        return lines
    }
}

/// Why the rest of a provider's stream cannot be read, or is not to be had.
package struct BrokenStream: Error, Hashable, Sendable, CustomStringConvertible {
    package let reason: String

    package var description: String { reason }

    package init(_ reason: String) { self.reason = reason }
}
