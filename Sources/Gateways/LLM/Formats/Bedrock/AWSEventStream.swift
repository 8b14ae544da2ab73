/// Messages of the `application/vnd.amazon.eventstream` encoding (smithy.io, "Amazon Event Stream specification"), of a
/// stream that comes in pieces: each has lengths, headers and a payload, guarded by two CRC-32.
package struct AWSEventStream: Sendable {
    package struct Message: Hashable, Sendable {
        /// Those whose value is a string.
        package var headers: [String: String]
        package var payload: [UInt8]
    }

    private static let preludeBytes = 12
    private static let checksumBytes = 4

    private let messageBytesMax: Int
    private var rest: [UInt8] = []

    package init(messageBytesMax: Int) { self.messageBytesMax = messageBytesMax }

    /// The messages that the bytes finish.
    ///
    /// - Throws: when a message is longer than the limit, or is not as it was sent.
    package mutating func read(_ bytes: some Sequence<UInt8>) throws(BrokenStream) -> [Message] {
        rest += bytes
        var messages: [Message] = []
        var start = 0
        while let length = try nextLength(from: start) {
            guard rest.count - start >= length else { break }
            messages.append(try Self.message(rest[start..<start + length]))
            start += length
        }
        rest.removeFirst(start)
        return messages
    }

    /// The length of the message that begins there; `nil` when too little of it is here to tell.
    private func nextLength(from start: Int) throws(BrokenStream) -> Int? {
        guard rest.count - start >= Self.preludeBytes else { return nil }
        let prelude = rest[start..<start + 8]
        guard CRC32.checksum(prelude) == Self.number(rest[(start + 8)...]) else {
            throw BrokenStream("the beginning of a message of the event stream is damaged")
        }
        let length = Int(Self.number(prelude))
        guard length >= Self.preludeBytes + Self.checksumBytes, length <= messageBytesMax else {
            throw BrokenStream("a message of the event stream has \(length) bytes")
        }
        return length
    }

    private static func message(_ bytes: ArraySlice<UInt8>) throws(BrokenStream) -> Message {
        let body = bytes.dropLast(checksumBytes)
        guard CRC32.checksum(body) == number(bytes.suffix(checksumBytes)) else {
            throw BrokenStream("a message of the event stream is damaged")
        }
        let headersLength = Int(number(bytes.dropFirst(4)))
        let content = body.dropFirst(preludeBytes)
        guard headersLength <= content.count else {
            throw BrokenStream("the headers of a message of the event stream are longer than it is")
        }
        return Message(
            headers: try headers(content.prefix(headersLength)), payload: Array(content.dropFirst(headersLength)))
    }

    private static func headers(_ bytes: ArraySlice<UInt8>) throws(BrokenStream) -> [String: String] {
        var (headers, rest): ([String: String], ArraySlice<UInt8>) = ([:], bytes)
        func take(_ count: Int) throws(BrokenStream) -> ArraySlice<UInt8> {
            guard rest.count >= count else { throw BrokenStream("a header of the event stream is cut short") }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }
        while !rest.isEmpty {
            let name = String(decoding: try take(Int(number(try take(1)))), as: UTF8.self)
            switch number(try take(1)) {
            case 0, 1: break
            case 2: _ = try take(1)
            case 3: _ = try take(2)
            case 4: _ = try take(4)
            case 5, 8: _ = try take(8)
            case 6: _ = try take(Int(number(try take(2))))
            case 7: headers[name] = String(decoding: try take(Int(number(try take(2)))), as: UTF8.self)
            case 9: _ = try take(16)
            case let type: throw BrokenStream("a header of the event stream has the type \(type)")
            }
        }
        return headers
    }

    /// Of at most four bytes, the highest first.
    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }
}

/// The CRC-32 of zlib and PNG (RFC 1952, section 8).
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
    }

    static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(~0) { table[Int(($0 ^ UInt32($1)) & 0xFF)] ^ ($0 >> 8) }
    }
}
