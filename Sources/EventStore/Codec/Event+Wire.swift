package import Domain

/// The envelope: what all records have.
extension Event {
    func write(to writer: inout WireWriter) {
        writer.add(1, EventCodec.schemaVersion)
        writer.add(2, id)
        writer.add(3, fixed: time)
        writer.add(4, workspace == .default ? "" : workspace.text)
        writer.add(5, stream.kind)
        writer.add(6, stream.id)
        writer.add(7, streamSequence)
        writer.add(8) { actor.write(to: &$0) }
        writer.add(9, causation.index)
        if let token = causation.idempotency { writer.add(10) { token.write(to: &$0) } }
        writer.add(11, traceparent ?? "")
        writer.add(12, timeline?.sequence ?? 0)
        writer.add(13, timeline?.serverDriven ?? false)
        writer.add(payload.wireNumber) { payload.write(to: &$0) }
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (id, stream): (EventID?, UUIDValue?)
        var (time, workspace) = (Timestamp(microseconds: 0), WorkspaceName.default)
        var kind: StreamID.Kind?
        var streamSequence: UInt64 = 0
        var actor = Actor(kind: .system, name: "")
        var (index, idempotency): (UInt32, IdempotencyToken?) = (0, nil)
        var traceparent: String?
        var (timelineSequence, serverDriven): (UInt64, Bool) = (0, false)
        var payload: EventPayload?
        var unknownType: UInt64?
        while let field = try reader.next() {
            switch field {
            case 2: id = try reader.id("event_id")
            case 3: time = try reader.fixedTime()
            case 4: workspace = try reader.workspace()
            case 5: kind = try reader.choice("stream_kind")
            case 6: stream = try reader.optionalUUID("stream_id")
            case 7: streamSequence = try reader.unsigned()
            case 8: actor = try Actor(try reader.message())
            case 9: index = try reader.unsigned32()
            case 10: idempotency = try IdempotencyToken(try reader.message())
            case 11: traceparent = try reader.text()
            case 12: timelineSequence = try reader.unsigned()
            case 13: serverDriven = try reader.bool()
            case EventPayload.wireNumberFirst...:
                if let known = try EventPayload(field, &reader) { payload = known } else { unknownType = field }
            default: try reader.skip()
            }
        }
        guard let payload else { throw MalformedRecord(Self.withoutPayload(unknownType)) }
        self.init(
            id: try required(id, "event_id"), time: time, workspace: workspace,
            stream: StreamID(kind: try required(kind, "stream_kind"), id: try required(stream, "stream_id")),
            streamSequence: streamSequence, actor: actor,
            causation: Causation(index: index, idempotency: idempotency),
            traceparent: traceparent == "" ? nil : traceparent,
            timeline: timelineSequence == 0
                ? nil : TimelineMark(sequence: timelineSequence, serverDriven: serverDriven), payload: payload)
    }

    private static func withoutPayload(_ unknownType: UInt64?) -> String {
        guard let unknownType else { return "it has no payload" }
        return "its type, number \(unknownType) of schemas/events.proto, is not known to this sluice: it was written "
            + "by a newer one; upgrade"
    }
}

extension WireReader {
    fileprivate mutating func workspace() throws(MalformedRecord) -> WorkspaceName {
        let text = try text()
        return text.isEmpty ? .default : try required(WorkspaceName(text), "workspace")
    }
}

extension Actor {
    package func write(to writer: inout WireWriter) {
        if case .apiKey(let id) = kind { writer.add(1, id) }
        writer.add(2, name)
        if case .person(let person) = kind { writer.add(3) { person.write(to: &$0) } }
        if case .decisionLink(let link) = kind { writer.add(4) { link.write(to: &$0) } }
    }

    package init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (key, name, person): (UUIDValue?, String, Person?) = (nil, "", nil)
        var link: UsedLink?
        while let field = try reader.next() {
            switch field {
            case 1: key = try reader.optionalUUID("actor.api_key_id")
            case 2: name = try reader.text()
            case 3: person = try Person(try reader.message())
            case 4: link = try UsedLink(try reader.message())
            default: try reader.skip()
            }
        }
        self.init(
            kind: key.map { .apiKey(APIKeyID($0)) } ?? person.map(Actor.Kind.person)
                ?? link.map(Actor.Kind.decisionLink) ?? .system, name: name)
    }
}

extension Person {
    package func write(to writer: inout WireWriter) {
        writer.add(1, provider)
        writer.add(2, subject)
        writer.add(3, optional: address)
    }

    package init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (provider, subject, address): (String, String, String?) = ("", "", nil)
        while let field = try reader.next() {
            switch field {
            case 1: provider = try reader.text()
            case 2: subject = try reader.text()
            case 3: address = try reader.text()
            default: try reader.skip()
            }
        }
        self.init(provider: provider, subject: subject, address: address)
    }
}

extension UsedLink {
    fileprivate func write(to writer: inout WireWriter) {
        writer.add(1, connectorName)
        writer.add(2, deliveryID)
    }

    fileprivate init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (connectorName, deliveryID): (String, DeliveryID?) = ("", nil)
        while let field = try reader.next() {
            switch field {
            case 1: connectorName = try reader.text()
            case 2: deliveryID = try reader.id("actor.decision_link.delivery_id")
            default: try reader.skip()
            }
        }
        self.init(
            connectorName: connectorName, deliveryID: try required(deliveryID, "actor.decision_link.delivery_id"))
    }
}

extension IdempotencyToken {
    func write(to writer: inout WireWriter) {
        writer.add(1, key)
        writer.add(2, fingerprint)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (key, fingerprint): (String, UUIDValue?) = ("", nil)
        while let field = try reader.next() {
            switch field {
            case 1: key = try reader.text()
            case 2: fingerprint = try reader.optionalUUID("idempotency.fingerprint")
            default: try reader.skip()
            }
        }
        self.init(key: key, fingerprint: try required(fingerprint, "idempotency.fingerprint"))
    }
}

extension StreamID.Kind: WireChoice {
    package var wireNumber: UInt64 {
        switch self {
        case .run: 1
        case .accessRequest: 2
        case .agent: 3
        case .tool: 4
        case .policy: 5
        case .modelProvider: 6
        case .apiKey: 7
        case .answer: 8
        case .secret: 9
        case .identityProvider: 10
        case .deployDraft: 12
        case .settings: 13
        case .approvalConnector: 11
        case .analysis: 14
        case .build: 15
        case .person: 16
        case .expiry: 18
        case .keyLoss: 19
        case .control: 25
        case .modelAlias: 26
        }
    }
}
