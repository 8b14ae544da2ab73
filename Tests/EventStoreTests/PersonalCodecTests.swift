import Domain
import EventStore
import Foundation
import Synchronization
import SwiftProtobuf
import TestSupport
import Testing

/// What the log says of people is sealed, all of it and nothing else, and comes back as long as there is a key.
@Suite struct PersonalCodecTests {
    private static let events: [Event] = {
        var generator = LogGenerator(seed: 23)
        return EventSamples.all.map { $0.about("ada") } + generator.events(4_000).map(\.event)
    }()

    @Test func aSealedRecordOpensToTheVeryEvent() async throws {
        let cipher = TestCipher()
        let records = try await written(Self.events, cipher)
        for (record, event) in zip(records, Self.events) {
            #expect(try EventCodec.decode(record, opening: cipher) == event)
        }
        #expect(try records.count { try !EventCodec.seals(in: $0).isEmpty } > 2_000)
    }

    /// The schema says which fields are personal, and a library that knows nothing of our codec finds them empty.
    @Test func everyFieldThatTheSchemaCallsPersonalIsEmptyAndEveryOtherIsAsItWas() async throws {
        let schema = try Schema()
        let cipher = TestCipher()
        let person = Actor(kind: .person(Person(provider: "corp", subject: "7")), name: "bob")
        let events = EventSamples.all.map { $0.about("ada") }.flatMap { [$0, $0.by(person)] }
        var seen: Set<String> = []
        for (record, event) in zip(try await written(events, cipher), events) {
            var sealed = try Sluice_Events_V1_Envelope(serializedBytes: record)
            let isPerson = sealed.actor.hasPerson
            sealed.personal = []
            let plain = try Sluice_Events_V1_Envelope(serializedBytes: EventCodec.encode(event))
            let (left, right) = (try json(sealed), try json(plain))
            try schema.compare("Envelope", left, right, isPerson: isPerson, &seen)
        }
        #expect(seen == schema.personal, "every personal field is in a sample")
    }

    @Test func withoutItsKeyARecordSaysWhatHappenedAndNothingOfThePerson() async throws {
        let cipher = TestCipher()
        let events = Self.events
        let records = try await written(events, cipher)
        let people = Set(events.flatMap { [$0.person, $0.actor.name] }.compactMap(\.self)).filter { $0.utf8.count > 3 }
        cipher.destroyAll()
        for (record, event) in zip(records, events) {
            for (reader, word) in [(cipher as any PersonalDataReader, "erased"), (WithoutKeys(), "sealed")] {
                let read = try EventCodec.decode(record, opening: reader)
                #expect(read.id == event.id && read.stream == event.stream && read.time == event.time)
                #expect(read.payload.typeName == event.payload.typeName && read.timeline == event.timeline)
                guard case .runCreated(let created) = read.payload else { continue }
                #expect(created.userID.hasPrefix("\(word)-"))
                #expect(created.initialMessage == nil || created.initialMessage == "[\(word)]")
            }
        }
        #expect(people.count > 3)
    }

    @Test func oneErasedPersonTakesNobodyElseAlong() async throws {
        let cipher = TestCipher()
        let actor = Actor(kind: .person(Person(provider: "corp", subject: "7")), name: "bob")
        let events = EventSamples.all.map { $0.about("ada").by(actor) }
        let records = try await written(events, cipher)
        cipher.destroy("ada")
        var approvals = 0
        for (record, event) in zip(records, events) {
            let read = try EventCodec.decode(record, opening: cipher)
            #expect(read.actor == actor, "\(event.payload.typeName) is still bob's doing")
            guard case .actionVoted(let voted) = read.payload, case .actionVoted(let was) = event.payload else {
                continue
            }
            approvals += 1
            #expect(voted.approverID == was.approverID && (was.reason == nil || voted.reason == "[erased]"))
        }
        #expect(approvals > 0)
    }

    @Test func aChangedRecordOpensToNoOtherText() async throws {
        let cipher = TestCipher()
        let event = try #require(Self.events.first { if case .runCreated = $0.payload { true } else { false } })
        let record = try await written([event], cipher)[0]
        for index in record.indices {
            var changed = record
            changed[index] ^= 1
            guard let read = try? EventCodec.decode(changed, opening: cipher),
                case .runCreated(let created) = read.payload, case .runCreated(let was) = event.payload
            else { continue }
            let isOpen = created.userID == was.userID && created.initialMessage == was.initialMessage
            #expect(
                isOpen || !created.userID.contains(was.userID), "byte \(index) changed: \(created.userID)")
        }
    }

    @Test func aPlaintextIsTheOneThatARecordIsCommittedTo() async throws {
        let cipher = TestCipher()
        let event = Self.events[Self.events.count - 1].about("ada")
        for record in try await written([event, event], cipher) {
            for seal in try EventCodec.seals(in: record) {
                guard case .plaintext(let text) = cipher.open(seal, in: event.id) else { continue }
                #expect(seal.isCommitment(to: text) && !seal.isCommitment(to: text + [0]))
                #expect(!seal.isCommitment(to: Array(text.dropFirst())), "its random bytes count")
            }
        }
    }

    private func written(_ events: [Event], _ cipher: TestCipher) async throws -> [[UInt8]] {
        let backend = InMemoryLogBackend()
        let store = await EventStore(backend: backend, cipher: cipher)
        var records: [[UInt8]] = []
        for start in stride(from: 0, to: events.count, by: 500) {
            _ = try await store.append(Array(events[start..<min(start + 500, events.count)]))
        }
        while records.count < events.count {
            records += try await backend.read(from: UInt64(records.count + 1), bytesMax: 1 << 20).compactMap(\.bytes)
        }
        return records
    }

    private func json(_ message: Sluice_Events_V1_Envelope) throws -> [String: Any] {
        var options = JSONEncodingOptions()
        options.preserveProtoFieldNames = true
        let value = try JSONSerialization.jsonObject(with: message.jsonUTF8Data(options: options))
        return try #require(value as? [String: Any])
    }
}

/// Keys in memory; what is sealed is the plaintext under a one-time pad, with a sum that tells a changed byte.
private final class TestCipher: PersonalDataCipher {
    private struct Key {
        let name: PersonName
        let id: PersonID
        let pad: UInt64
    }

    private let keys = Mutex<[Key]>([])

    func makeKeys(of people: [PersonName: Actor]) async throws(EventStoreError) {
        keys.withLock { keys in
            for person in people.keys where !keys.contains(where: { $0.name == person }) {
                let id = UUIDValue(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max))
                keys.append(Key(name: person, id: PersonID(id), pad: .random(in: 0 ... .max)))
            }
        }
    }

    func seal(
        _ values: [UInt8], of person: PersonName, in event: EventID, isActor: Bool
    ) throws(EventStoreError) -> (personID: PersonID, salt: [UInt8], ciphertext: [UInt8])? {
        keys.withLock { keys in keys.first { $0.name == person } }.map {
            ($0.id, Self.salt($0.pad, event), Self.pad(values, $0.pad, event))
        }
    }

    func open(_ seal: PersonalSeal, in event: EventID) -> PersonalData {
        guard let key = keys.withLock({ keys in keys.first { $0.id == seal.personID } }) else { return .erased }
        let plaintext = Self.salt(key.pad, event) + Self.pad(seal.ciphertext, key.pad, event)
        return seal.isCommitment(to: plaintext) ? .plaintext(plaintext) : .unavailable
    }

    func destroy(_ user: String) { keys.withLock { keys in keys.removeAll { $0.name.userID == user } } }

    func destroyAll() { keys.withLock { $0 = [] } }

    private static func salt(_ pad: UInt64, _ event: EventID) -> [UInt8] {
        Self.pad([UInt8](repeating: 0, count: 16), ~pad, event)
    }

    private static func pad(_ bytes: [UInt8], _ pad: UInt64, _ event: EventID) -> [UInt8] {
        var random = SeededRandom(seed: pad ^ event.value.low)
        return bytes.map { $0 ^ UInt8.random(in: .min ... .max, using: &random) }
    }
}

/// `schemas/events.proto`, as far as it says which fields are personal.
private struct Schema {
    /// The type of each field that is a message, by `Message.field`.
    private var types: [String: String] = [:]
    /// `Message.field`.
    private(set) var personal: Set<String> = []

    init() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../schemas/events.proto")
        var message = ""
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
            if let name = line.wholeMatch(of: /message (\w+) \{\}?/)?.1 {
                message = String(name)
            } else if let field = line.wholeMatch(of: /\s+(?:optional |repeated )?(\w+) (\w+) = \d+;(.*)/) {
                types["\(message).\(field.2)"] = String(field.1)
                if field.3.contains("Personal.") { personal.insert("\(message).\(field.2)") }
            }
        }
        #expect(personal.count > 30)
    }

    /// The same text for the same value, in whatever order its members come.
    private static func text(_ value: Any) throws -> String {
        String(decoding: try JSONSerialization.data(withJSONObject: [value], options: .sortedKeys), as: UTF8.self)
    }

    /// Compares a sealed message with the same one unsealed.
    func compare(
        _ message: String, _ sealed: [String: Any], _ plain: [String: Any], isPerson: Bool, _ seen: inout Set<String>
    ) throws {
        #expect(Set(sealed.keys).isSubset(of: plain.keys))
        for (name, value) in plain {
            let field = "\(message).\(name)"
            let isActors = ["Actor", "Person", "DecisionSignature"].contains(message) || name == "approver_id"
            if personal.contains(field), !isActors || isPerson {
                seen.insert(field)
                let left = sealed[name] as? String ?? ""
                #expect(left.isEmpty, "\(field) says \(left)")
            } else if let inner = value as? [String: Any], let type = types[field] {
                try compare(type, try #require(sealed[name] as? [String: Any]), inner, isPerson: isPerson, &seen)
            } else {
                #expect(try Self.text(sealed[name] ?? "none") == Self.text(value), "\(field)")
            }
        }
    }
}

extension Event {
    /// The event as the rules would give it for that user.
    fileprivate func about(_ user: String) -> Event {
        Event(
            id: id, time: time, workspace: workspace, stream: stream, streamSequence: streamSequence, actor: actor,
            causation: causation, traceparent: traceparent, timeline: timeline, person: user, payload: payload)
    }

    fileprivate func by(_ actor: Actor) -> Event {
        Event(
            id: id, time: time, workspace: workspace, stream: stream, streamSequence: streamSequence, actor: actor,
            causation: causation, traceparent: traceparent, timeline: timeline, person: person, payload: payload)
    }
}
