import CommandHandling
import Domain
import EventStore
import EventStreaming

/// Any bytes give an event or say what is wrong with them, and an event comes back as it went in.
enum EventFuzzing {
    static func run(_ input: [UInt8]) throws {
        let event: Event
        do {
            event = try EventCodec.decode(input, at: 7)
        } catch {
            guard case .undecodable(let position, let reason) = error else { throw error }
            try promise(position == 7 && !reason.isEmpty, "a record is refused without its position or a reason")
            return
        }
        let record = EventCodec.encode(event)
        let again = try EventCodec.decode(record)
        try promise(again == event, "another event comes back")
        // Strings that look the same are equal; the record's bytes tell them apart.
        try promise(EventCodec.encode(again) == record, "the record of the same event has other bytes")
        try checkText(of: event.time)
        try checkUse(of: RecordedEvent(position: Position(1), event: event))
    }

    /// The writer folds any event, and clients are shown it.
    private static func checkUse(of event: RecordedEvent) throws {
        var memory = WriterMemory(limits: Limits())
        memory.evolve(event)
        memory.evolve(RecordedEvent(position: event.position.next, event: event.event))
        try promise(
            WriterMemory(snapshot: memory.snapshot, limits: Limits()) == memory, "the snapshot is of another memory")
        for shown in [EventDocument.json(event), EventDocument.timelineEntry(event, in: .v1alpha)] {
            try promise(shown.text.hasPrefix("{") && shown.text.hasSuffix("}"), "an event is shown as no object")
        }
    }

    /// What an answer shows of a time is that time.
    private static func checkText(of time: Timestamp) throws {
        let text = time.description
        // RFC 3339 has the years 0 to 9999.
        guard text.utf8.count == 27, !text.hasPrefix("-") else { return }
        try promise(Timestamp(rfc3339: text) == time, "\(text) is read as another time")
    }
}
