import Domain
import EventStore
import SwiftProtobuf
import TestSupport
import Testing

/// Records are what `schemas/events.proto` says, by the word of a protobuf library that knows nothing of our codec.
@Suite struct ProtobufTests {
    private static let events: [Event] = {
        var generator = LogGenerator(seed: 11)
        return EventSamples.all + generator.events(2_000).map(\.event)
    }()

    @Test func aProtobufLibraryKnowsEveryFieldAndWritesTheSameBytes() throws {
        for event in Self.events {
            let record = EventCodec.encode(event)
            let envelope = try Sluice_Events_V1_Envelope(serializedBytes: record)
            // JSON has no place for fields that the schema does not name.
            let named = try Sluice_Events_V1_Envelope(jsonUTF8Data: envelope.jsonUTF8Data())
            let written: [UInt8] = try named.serializedBytes()
            #expect(written == record)
        }
    }

    @Test func fieldsOfALaterVersionAreSkipped() throws {
        for event in EventSamples.all {
            var envelope = try Sluice_Events_V1_Envelope(serializedBytes: EventCodec.encode(event))
            // Field 30 as each kind of value there is.
            for unknown: [UInt8] in [[0xf0, 1, 7], [0xf1, 1] + .init(repeating: 1, count: 8), [0xf2, 1, 2, 9, 9]] {
                try envelope.merge(serializedBytes: unknown)
            }
            try envelope.merge(serializedBytes: [0xf5, 1, 0, 0, 0, 0] as [UInt8])
            let record: [UInt8] = try envelope.serializedBytes()
            #expect(record.count > EventCodec.encode(event).count)
            let decoded = try EventCodec.decode(record)
            #expect(decoded == event)
        }
    }

    @Test func fieldsMayComeInAnyOrder() throws {
        for event in EventSamples.all {
            let record = EventCodec.encode(event)
            var fields = try Self.fields(record)
            let version = fields.removeFirst()
            let decoded = try EventCodec.decode(([version] + fields.reversed()).flatMap { $0 })
            #expect(decoded == event)
            let versionLast = try EventCodec.decode((fields + [version]).flatMap { $0 })
            #expect(versionLast == event)
        }
    }

    /// The fields of a message, each with its tag: found by cutting off whatever a library takes for one field more.
    private static func fields(_ record: [UInt8]) throws -> [[UInt8]] {
        var fields: [[UInt8]] = []
        var start = 0
        for end in 1...record.count {
            guard let _ = try? Sluice_Events_V1_Envelope(serializedBytes: Array(record[start..<end])) else { continue }
            fields.append(Array(record[start..<end]))
            start = end
        }
        try #require(start == record.count)
        return fields
    }
}
