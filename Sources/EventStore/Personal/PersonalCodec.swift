package import Domain

/// Records whose personal fields are sealed, and back.
extension EventCodec {
    private static let saltBytes = 16

    /// The people whose keys the records of these events are sealed with, each with the actor that names them first.
    private static func people(in events: [Event]) -> [PersonName: Actor] {
        var people: [PersonName: Actor] = [:]
        for event in events {
            for person in [event.subjectName, event.actorName].compactMap(\.self) where people[person] == nil {
                people[person] = event.actor
            }
        }
        return people
    }

    /// The records of events, with what they say of people sealed.
    static func encode(
        _ events: [Event], sealing cipher: any PersonalDataCipher
    ) async throws(EventStoreError) -> [[UInt8]] {
        let people = people(in: events)
        // Somebody may be erased in between: their events of now are sealed with a key of now.
        for _ in 0..<3 {
            try await cipher.makeKeys(of: people)
            var records: [[UInt8]] = []
            records.reserveCapacity(events.count)
            for event in events {
                guard let record = try encode(event, sealing: cipher) else { break }
                records.append(record)
            }
            if records.count == events.count { return records }
        }
        throw .backend(.stopped("a person's key was destroyed again and again while events of theirs were written"))
    }

    /// The record of one event; `nil` when a key is not there.
    package static func encode(
        _ event: Event, sealing cipher: any PersonalDataCipher
    ) throws(EventStoreError) -> [UInt8]? {
        let record = encode(event)
        let (subject, actor) = (event.subjectName, event.actorName)
        guard subject != nil || actor != nil else { return record }
        var (ofSubject, ofActor): ([[UInt8]], [[UInt8]]) = ([], [])
        let rewriting: RecordRewriting
        do {
            rewriting = try RecordRewriting(record) { (_, owner, value) throws(MalformedRecord) in
                switch owner {
                case .subject where subject != nil: ofSubject.append(value)
                case .actor where actor != nil: ofActor.append(value)
                case .subject, .actor: return value
                }
                return []
            }
        } catch {
            throw .undecodable(position: nil, reason: error.reason)
        }
        var seals: [PersonalSeal] = []
        for (person, values, isActor) in [(subject, ofSubject, false), (actor, ofActor, true)] {
            guard let person, !values.isEmpty else { continue }
            let fields = joined(values)
            guard
                let (id, salt, ciphertext) = try cipher.seal(fields, of: person, in: event.id, isActor: isActor)
            else { return nil }
            seals.append(
                PersonalSeal(
                    personID: id, commitment: PersonalSeal.commitment(to: salt + fields), ciphertext: ciphertext,
                    isActor: isActor))
        }
        return seals.isEmpty ? record : rewriting.record(seals)
    }

    /// The seals in a record; nothing is opened.
    package static func seals(in record: [UInt8]) throws(EventStoreError) -> [PersonalSeal] {
        do {
            return try SealedHead(record)?.seals ?? []
        } catch {
            throw .undecodable(position: nil, reason: error.reason)
        }
    }

    /// The record with its seals opened, or with what stands for them.
    static func opened(
        _ record: [UInt8], _ personal: any PersonalDataReader
    ) throws(MalformedRecord) -> [UInt8] {
        guard let head = try SealedHead(record) else { return record }
        var subject = head.seals.first { !$0.isActor }.map { Opening($0, personal.open($0, in: head.eventID)) }
        var actor = head.seals.first(where: \.isActor).map { Opening($0, personal.open($0, in: head.eventID)) }
        let rewriting = try RecordRewriting(record) { (kind, owner, value) throws(MalformedRecord) in
            switch owner {
            case .subject: try subject == nil ? value : subject?.next(kind)
            case .actor: try actor == nil ? value : actor?.next(kind)
            }
        }
        return rewriting.record([])
    }

    private static func joined(_ values: [[UInt8]]) -> [UInt8] {
        var writer = WireWriter(capacity: values.reduce(0) { $0 + $1.count + 4 })
        for value in values { writer.add(lengthAnd: value) }
        return writer.bytes
    }

    /// What is needed to open a record.
    private struct SealedHead {
        let eventID: EventID
        let seals: [PersonalSeal]

        /// `nil` when nothing is sealed in it.
        init?(_ record: [UInt8]) throws(MalformedRecord) {
            var (id, seals): (EventID?, [PersonalSeal]) = (nil, [])
            try WireReader.reading(record) { (message) throws(MalformedRecord) in
                var reader = message
                while let field = try reader.next() {
                    switch field {
                    case 2: id = try reader.id("event_id")
                    case RecordRewriting.sealsField: seals.append(try PersonalSeal(try reader.message()))
                    default: try reader.skip()
                    }
                }
            }
            guard !seals.isEmpty else { return nil }
            (eventID, self.seals) = (try required(id, "event_id"), seals)
        }
    }

    /// Gives out what stands in the personal fields, one after another.
    private struct Opening {
        private let data: PersonalData
        private let personID: PersonID
        private var offset = saltBytes

        init(_ seal: PersonalSeal, _ data: PersonalData) {
            (self.data, personID) = (data, seal.personID)
        }

        mutating func next(_ kind: PersonalFields.Kind) throws(MalformedRecord) -> [UInt8]? {
            switch data {
            case .plaintext(let bytes):
                guard let value = WireReader.lengthAndValue(bytes, at: &offset) else {
                    throw MalformedRecord("what is sealed in it is not what its fields held")
                }
                return value
            case .erased: return Self.placeholder("erased", kind, personID)
            case .unavailable: return Self.placeholder("sealed", kind, personID)
            }
        }

        private static func placeholder(_ word: String, _ kind: PersonalFields.Kind, _ id: PersonID) -> [UInt8]? {
            switch kind {
            case .name: Array("\(word)-\(id)".utf8)
            case .text: Array("[\(word)]".utf8)
            case .json: Array("{\"\(word)\":true}".utf8)
            case .bytes: nil
            }
        }
    }
}

extension Event {
    fileprivate var subjectName: PersonName? {
        person.flatMap { $0.isEmpty ? nil : PersonName(workspace: workspace, userID: $0) }
    }

    fileprivate var actorName: PersonName? {
        let isPerson =
            switch actor.kind {
            case .person: true
            // Somebody who opened a link that is theirs alone.
            case .system: actor.name == person
            case .apiKey, .decisionLink: false
            }
        return isPerson && !actor.name.isEmpty ? PersonName(workspace: workspace, userID: actor.name) : nil
    }
}
