import Domain
import EventStore
import TestSupport
import Testing

@Suite struct EventCodecTests {
    @Test func samplesHaveEveryType() {
        #expect(Set(EventSamples.all.map { EventSamples.ordinal($0.payload) }) == EventSamples.ordinals)
    }

    @Test(arguments: EventSamples.all)
    func givesBackTheEventThatWasEncoded(_ event: Event) throws {
        #expect(try EventCodec.decode(EventCodec.encode(event)) == event)
    }

    @Test(arguments: [Int64.min, -1, 0, 1, .max])
    func keepsAnyTime(microseconds: Int64) throws {
        let time = Timestamp(microseconds: microseconds)
        let event = sample(
            .runCreated(
                RunCreated(
                    agentID: "a", agentUID: nil, userID: "u", conversationID: nil, invokeURL: nil, initialMessage: nil,
                    deadline: time)), time: time)
        let decoded = try EventCodec.decode(EventCodec.encode(event))
        #expect(decoded == event)
    }

    @Test func keepsTextsExactly() throws {
        for text in ["", "\u{0}", "e\u{301}", "\u{e9}", "\u{2028}", "👩‍💻", String(repeating: "x", count: 100_000)] {
            let event = sample(.actionFailed(ActionFailed(actionID: ActionID(EventSamples.uuid(1)), reason: text)))
            guard case .actionFailed(let failed) = try EventCodec.decode(EventCodec.encode(event)).payload else {
                Issue.record("another type came back")
                return
            }
            #expect(Array(failed.reason.utf8) == Array(text.utf8))
        }
    }

    @Test(arguments: EventSamples.all)
    func encodesTheSameEventToTheSameBytes(_ event: Event) throws {
        #expect(EventCodec.encode(event) == EventCodec.encode(event))
    }

    @Test func refusesANewerSchemaAndNamesBothVersionsAndThePosition() throws {
        var bytes = try versionedSample()
        bytes[1] = 2
        let error = try #require(undecodable(bytes, at: 41))
        #expect(error.position == 41)
        #expect(error.reason.contains("schema version 2"))
        #expect(error.reason.contains("knows 1"))
    }

    @Test func refusesAVersionThatWasNeverReleased() throws {
        let bytes = Array(try versionedSample().dropFirst(2))
        let error = try #require(undecodable(bytes))
        #expect(error.reason.contains("schema version 0"))
    }

    @Test func namesTheNumberOfAnUnknownType() throws {
        // api_key_revoked is field 54 without content: two bytes of tag, one of length. 99 is no type.
        let bytes = try versionedSample()
        #expect(bytes.suffix(3) == [0xb2, 0x03, 0x00])
        let error = try #require(undecodable(bytes.dropLast(3) + [0x9a, 0x06, 0x00]))
        #expect(error.reason.contains("number 99"))
        let empty = try #require(undecodable(Array(bytes.dropLast(3))))
        #expect(empty.reason.contains("no payload"))
    }

    @Test func namesTheFieldThatIsMalformed() throws {
        // event_id: tag 0x12, 16 bytes.
        var bytes = try versionedSample()
        #expect(Array(bytes[2...3]) == [0x12, 16])
        bytes[3] = 15
        bytes.remove(at: 4)
        let error = try #require(undecodable(bytes))
        #expect(error.reason.contains("event_id"))
    }

    @Test func neverTakesDamagedBytesForSomethingItCannotWrite() throws {
        var random = SeededRandom(seed: 7)
        for event in EventSamples.all {
            let bytes = EventCodec.encode(event)
            for _ in 0..<200 {
                var damaged = bytes
                damaged[Int(random.next() % UInt64(bytes.count))] ^= UInt8(1 << (random.next() % 8))
                if random.next() % 4 == 0 { damaged.removeLast(Int(random.next() % UInt64(bytes.count))) }
                guard let decoded = try? EventCodec.decode(damaged) else { continue }
                #expect(try EventCodec.decode(EventCodec.encode(decoded)) == decoded)
            }
        }
    }

    private func versionedSample() throws -> [UInt8] {
        let bytes = EventCodec.encode(sample(.apiKeyRevoked(APIKeyRevoked())))
        try #require(bytes.prefix(2) == [0x08, 0x01])
        return bytes
    }

    private func undecodable(_ bytes: [UInt8], at position: UInt64? = nil) -> (position: UInt64?, reason: String)? {
        do {
            _ = try EventCodec.decode(bytes, at: position)
            return nil
        } catch {
            guard case .undecodable(let position, let reason) = error else { return nil }
            return (position, reason)
        }
    }

    private func sample(_ payload: EventPayload, time: Timestamp = Timestamp(microseconds: 5)) -> Event {
        Event(
            id: EventID(EventSamples.uuid(1)), time: time, workspace: .default,
            stream: StreamID(kind: .run, id: EventSamples.uuid(2)), streamSequence: 1, actor: .scheduler,
            causation: Causation(index: 0, idempotency: nil), traceparent: nil, timeline: nil, payload: payload)
    }
}
