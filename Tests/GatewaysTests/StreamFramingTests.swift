import Domain
import Gateways
import TestSupport
import Testing

/// Streams come in pieces of any length; what they say must not depend on it.
@Suite struct StreamFramingTests {
    private static func pieces(_ bytes: [UInt8], _ random: inout SeededRandom) -> [[UInt8]] {
        var (pieces, rest) = ([[UInt8]](), bytes[...])
        while !rest.isEmpty {
            let count = Int.random(in: 1...max(1, min(rest.count, 24)), using: &random)
            pieces.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return pieces
    }

    private static func message(_ headers: [(String, String)], _ payload: [UInt8]) -> [UInt8] {
        func number(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
        func checksum(_ bytes: [UInt8]) -> [UInt8] {
            var value = ~UInt32(0)
            for byte in bytes {
                value ^= UInt32(byte)
                for _ in 0..<8 { value = value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
            }
            return number(Int(~value))
        }
        var head: [UInt8] = []
        for (name, value) in headers {
            head.append(UInt8(name.utf8.count))
            head += name.utf8
            head += [7, 0, UInt8(value.utf8.count)]
            head += value.utf8
        }
        var bytes = number(16 + head.count + payload.count) + number(head.count)
        bytes += checksum(bytes)
        bytes += head + payload
        return bytes + checksum(bytes)
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func eventsAreTheSameHoweverTheyAreCut(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let text =
            ": note\r\nevent: a\r\ndata: {\"x\":\r\ndata:1}\r\n\r\n\ndata: ünd\n\nid: 7\n\ndata:\n\nretry: 1\ndata: rest"
        var events = ServerSentEvents(bytesMax: 64)
        var found: [String] = []
        for piece in Self.pieces(Array(text.utf8), &random) {
            found += try events.read(piece).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(found == ["{\"x\":\n1}", "ünd", ""], "an event that does not end is none")
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func messagesAreTheSameHoweverTheyAreCut(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let bytes =
            Self.message([(":event-type", "a"), (":message-type", "event")], Array("{}".utf8))
            + Self.message([], []) + Self.message([(":event-type", "b")], Array(repeating: 7, count: 100))
        var stream = AWSEventStream(messageBytesMax: 1024)
        var found: [AWSEventStream.Message] = []
        for piece in Self.pieces(bytes, &random) { found += try stream.read(piece) }
        #expect(found.map { $0.headers[":event-type"] } == ["a", nil, "b"])
        #expect(found.map(\.payload.count) == [2, 0, 100])
    }

    @Test func aFlippedBitAnywhereInAMessageIsFound() {
        let message = Self.message([(":event-type", "a")], Array("{\"text\":1}".utf8))
        for index in message.indices {
            var damaged = message
            damaged[index] ^= 0x10
            var stream = AWSEventStream(messageBytesMax: 1024)
            #expect(throws: BrokenStream.self) { try stream.read(damaged) }
        }
    }

    @Test func noMoreIsKeptThanTheLimit() {
        var events = ServerSentEvents(bytesMax: 16)
        #expect(throws: BrokenStream.self) { try events.read(Array("data: ".utf8) + Array(repeating: 65, count: 40)) }
        #expect(throws: BrokenStream.self) {
            var events = ServerSentEvents(bytesMax: 16)
            for _ in 0..<10 { _ = try events.read(Array("data: abcd\n".utf8)) }
        }
        var stream = AWSEventStream(messageBytesMax: 64)
        #expect(throws: BrokenStream.self) { try stream.read(Self.message([], Array(repeating: 0, count: 100))) }
    }
}
