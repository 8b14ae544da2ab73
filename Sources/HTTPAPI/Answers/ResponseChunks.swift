package import NIOCore

/// The sizes of the parts in which responses are written.
///
/// A part costs one write to the socket. Parts of this size keep the event loops free and a slow client cheap.
package enum ResponseChunks {
    /// The size from which a part is written.
    package static let bytesMin = 16 * 1024
    package static let bytesMax = 64 * 1024

    /// Splits bytes into parts of at most `bytesMax`; they share the memory of the whole.
    package static func split(_ bytes: ByteBuffer) -> [ByteBuffer] {
        var (rest, parts) = (bytes, [ByteBuffer]())
        while rest.readableBytes > 0, let part = rest.readSlice(length: min(rest.readableBytes, bytesMax)) {
            parts.append(part)
        }
        return parts
    }

    /// Splits a text into parts of at most `bytesMax`, each copied when it is asked for.
    package static func split(_ text: String) -> some Sequence<ByteBuffer> {
        let bytes = text.utf8
        return sequence(state: bytes.startIndex) { begin -> ByteBuffer? in
            guard begin < bytes.endIndex else { return nil }
            let end = bytes.index(begin, offsetBy: bytesMax, limitedBy: bytes.endIndex) ?? bytes.endIndex
            defer { begin = end }
            return ByteBuffer(bytes: bytes[begin..<end])
        }
    }
}
