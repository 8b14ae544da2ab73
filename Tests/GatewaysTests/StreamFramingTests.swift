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
            AWSFrame.bytes([(":event-type", "a"), (":message-type", "event")], Array("{}".utf8))
            + AWSFrame.bytes([], [UInt8]()) + AWSFrame.bytes([(":event-type", "b")], Array(repeating: 7, count: 100))
        var stream = AWSEventStream(messageBytesMax: 1024)
        var found: [AWSEventStream.Message] = []
        for piece in Self.pieces(bytes, &random) { found += try stream.read(piece) }
        #expect(found.map { $0.headers[":event-type"] } == ["a", nil, "b"])
        #expect(found.map(\.payload.count) == [2, 0, 100])
    }

    @Test func aFlippedBitAnywhereInAMessageIsFound() {
        let message = AWSFrame.bytes([(":event-type", "a")], Array("{\"text\":1}".utf8))
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
        #expect(throws: BrokenStream.self) { try stream.read(AWSFrame.bytes([], Array(repeating: 0, count: 100))) }
    }
}
