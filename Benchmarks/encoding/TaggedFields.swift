import Domain

/// The candidate without a library: fields in a fixed order, integers as varints, texts with their length, a bit set
/// for what may be missing. About as small and as fast as this can be made, and nothing but this code can read it.
enum TaggedFields {
    static func encode(_ event: Event) -> [UInt8] {
        var out: [UInt8] = [1]
        out.reserveCapacity(256)
        out.append(event.id.value)
        out.append(varint: UInt64(bitPattern: event.time.microseconds))
        out.append(event.workspace == .default ? "" : event.workspace.text)
        out.append(event.stream.id)
        out.append(varint: event.streamSequence)
        if case .apiKey(let id) = event.actor.kind { out.append(id.value) }
        out.append(event.actor.name)
        out.append(varint: event.timeline?.sequence ?? 0)
        switch event.payload {
        case .runCreated(let created):
            out.append(1)
            out.append(created.agentID)
            out.append(created.userID)
            out.append(optional: created.conversationID)
            out.append(optional: created.initialMessage)
            out.append(varint: UInt64(bitPattern: created.deadline.microseconds))
        case .runEventAdded(let added):
            out.append(2)
            out.append(added.type)
            out.append(optional: added.actor)
            out.append(optional: added.payloadHash)
            out.append(optional: added.data?.text)
        case .actionBlocked(let blocked):
            out.append(3)
            out.append(blocked.actionID.value)
            out.append(blocked.toolID)
            out.append(optional: blocked.capability)
            out.append(optional: blocked.payloadHash?.text)
            out.append(varint: UInt64(bitPattern: blocked.expiresAt.microseconds))
        case .actionApproved(let approved):
            out.append(4)
            out.append(approved.actionID.value)
            out.append(optional: approved.payloadHash?.text)
            out.append(optional: approved.reason)
        case .runStatusChanged(let changed):
            out.append(5)
            out.append(changed.status.rawValue)
            out.append(optional: changed.reason)
        default: preconditionFailure("only typical run events are measured")
        }
        return out
    }

    static func decode(_ bytes: [UInt8]) -> Event {
        var fields = FieldReader(bytes)
        precondition(fields.byte() == 1, "version 1")
        let id = fields.uuid()
        let time = fields.time()
        let workspace = fields.text()
        let run = fields.uuid()
        let sequence = fields.varint()
        let actor = Actor(kind: .apiKey(APIKeyID(fields.uuid())), name: fields.text())
        let timeline = fields.varint()
        return Event(
            id: EventID(id), time: time, workspace: WorkspaceName(workspace) ?? .default,
            stream: StreamID(kind: .run, id: run), streamSequence: sequence, actor: actor,
            causation: Causation(index: 0, idempotency: nil), traceparent: nil,
            timeline: timeline == 0 ? nil : TimelineMark(sequence: timeline, serverDriven: false),
            payload: payload(&fields))
    }

    private static func payload(_ fields: inout FieldReader) -> EventPayload {
        switch fields.byte() {
        case 1:
            .runCreated(
                RunCreated(
                    agentID: fields.text(), agentUID: nil, userID: fields.text(), conversationID: fields.optional(),
                    invokeURL: nil, initialMessage: fields.optional(), deadline: fields.time()))
        case 2:
            .runEventAdded(
                RunEventAdded(
                    type: fields.text(), actor: fields.optional(), payloadHash: fields.optional(),
                    data: fields.optional().map(JSONText.init(verified:))))
        case 3:
            .actionBlocked(
                ActionBlocked(
                    actionID: ActionID(fields.uuid()), toolID: fields.text(), capability: fields.optional(),
                    payloadHash: fields.optional().map(PayloadHash.init), method: nil, url: nil,
                    accessRequestID: nil, expiresAt: fields.time()))
        case 4:
            .actionApproved(
                ActionApproved(
                    actionID: ActionID(fields.uuid()), payloadHash: fields.optional().map(PayloadHash.init),
                    reason: fields.optional()))
        default:
            .runStatusChanged(
                RunStatusChanged(status: RunStatus(rawValue: fields.text()) ?? .running, reason: fields.optional()))
        }
    }
}

private struct FieldReader {
    private let bytes: [UInt8]
    private var index = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func byte() -> UInt8 {
        defer { index += 1 }
        return bytes[index]
    }

    mutating func varint() -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = byte()
            value |= UInt64(next & 0x7f) << shift
            if next < 0x80 { return value }
            shift += 7
        }
    }

    mutating func time() -> Timestamp { Timestamp(microseconds: Int64(bitPattern: varint())) }

    mutating func uuid() -> UUIDValue {
        var words: (UInt64, UInt64) = (0, 0)
        for _ in 0..<8 { words.0 = words.0 << 8 | UInt64(byte()) }
        for _ in 0..<8 { words.1 = words.1 << 8 | UInt64(byte()) }
        return UUIDValue(high: words.0, low: words.1)
    }

    mutating func text() -> String {
        let count = Int(varint())
        defer { index += count }
        return String(decoding: bytes[index..<index + count], as: UTF8.self)
    }

    mutating func optional() -> String? { byte() == 0 ? nil : text() }
}

extension [UInt8] {
    mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }

    mutating func append(_ text: String) {
        append(varint: UInt64(text.utf8.count))
        append(contentsOf: text.utf8)
    }

    fileprivate mutating func append(optional text: String?) {
        append(text == nil ? 0 : 1)
        if let text { append(text) }
    }

    fileprivate mutating func append(_ uuid: UUIDValue) { uuid.withUnsafeBytes { append(contentsOf: $0) } }
}
