import Domain
import Foundation

extension Proto {
    init(_ event: Event) {
        schemaVersion = EventCodec.schemaVersion
        eventID = Data(event.id.value)
        timeUs = event.time.microseconds
        workspace = event.workspace == .default ? "" : event.workspace.text
        streamKind = Sluice_Events_V1_StreamKind(event.stream.kind)
        streamID = Data(event.stream.id)
        streamSequence = event.streamSequence
        if case .apiKey(let id) = event.actor.kind { actor.apiKeyID = Data(id.value) }
        actor.name = event.actor.name
        commandIndex = event.causation.index
        if let token = event.causation.idempotency { idempotency = .init(token) }
        if let traceparent = event.traceparent { self.traceparent = traceparent }
        if let timeline = event.timeline {
            timelineSequence = timeline.sequence
            serverDriven = timeline.serverDriven
        }
        payload = .init(event.payload)
    }
}

extension Event {
    init(_ proto: Proto) throws(MalformedRecord) {
        guard let payload = proto.payload else {
            throw MalformedRecord(proto.unknownPayloadReason)
        }
        guard let workspace = proto.workspace.isEmpty ? .default : WorkspaceName(proto.workspace) else {
            throw .missing("workspace")
        }
        let timeline =
            proto.timelineSequence == 0
            ? nil : TimelineMark(sequence: proto.timelineSequence, serverDriven: proto.serverDriven)
        self.init(
            id: EventID(try proto.eventID.uuid("event_id")), time: Timestamp(microseconds: proto.timeUs),
            workspace: workspace,
            stream: StreamID(kind: try proto.streamKind.domain(), id: try proto.streamID.uuid("stream_id")),
            streamSequence: proto.streamSequence, actor: try Actor(proto.actor),
            causation: Causation(
                index: proto.commandIndex,
                idempotency: proto.hasIdempotency ? try IdempotencyToken(proto.idempotency) : nil),
            traceparent: proto.traceparent.isEmpty ? nil : proto.traceparent, timeline: timeline,
            payload: try EventPayload(payload))
    }
}

extension Actor {
    fileprivate init(_ proto: Sluice_Events_V1_Actor) throws(MalformedRecord) {
        let kind: Kind =
            proto.apiKeyID.isEmpty ? .system : .apiKey(APIKeyID(try proto.apiKeyID.uuid("actor.api_key_id")))
        self.init(kind: kind, name: proto.name)
    }
}

extension IdempotencyToken {
    init(_ proto: Sluice_Events_V1_Idempotency) throws(MalformedRecord) {
        self.init(key: proto.key, fingerprint: try proto.fingerprint.uuid("idempotency.fingerprint"))
    }
}

extension Sluice_Events_V1_Idempotency {
    init(_ token: IdempotencyToken) {
        key = token.key
        fingerprint = Data(token.fingerprint)
    }
}

extension Sluice_Events_V1_StreamKind {
    fileprivate init(_ kind: StreamID.Kind) {
        self =
            switch kind {
            case .run: .run
            case .accessRequest: .accessRequest
            case .agent: .agent
            case .tool: .tool
            case .policy: .policy
            case .modelProvider: .modelProvider
            case .apiKey: .apiKey
            case .answer: .answer
            }
    }

    fileprivate func domain() throws(MalformedRecord) -> StreamID.Kind {
        switch self {
        case .run: .run
        case .accessRequest: .accessRequest
        case .agent: .agent
        case .tool: .tool
        case .policy: .policy
        case .modelProvider: .modelProvider
        case .apiKey: .apiKey
        case .answer: .answer
        case .unspecified, .UNRECOGNIZED: throw .missing("stream_kind")
        }
    }
}

extension Data {
    init(_ uuid: UUIDValue) { self = uuid.withUnsafeBytes { Data($0) } }

    func uuid(_ field: String) throws(MalformedRecord) -> UUIDValue {
        guard let value = withUnsafeBytes({ UUIDValue(bytes: $0) }) else { throw .missing(field) }
        return value
    }
}

extension Duration {
    init(microseconds: Int64) { self = .microseconds(microseconds) }

    var microseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}
