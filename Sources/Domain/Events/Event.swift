/// A fact: one entry of the log, before or after it has a position.
///
/// Everything that a fold or an answer depends on is in here: time, ids and random choices included.
package struct Event: Hashable, Sendable {
    /// What the event says, behind one reference: events are handed on many times, and the copies share it.
    private final class Content: Sendable {
        let id: EventID
        let time: Timestamp
        let workspace: WorkspaceName
        let stream: StreamID
        let streamSequence: UInt64
        let actor: Actor
        let causation: Causation
        let traceparent: String?
        let timeline: TimelineMark?
        let person: String?
        let payload: EventPayload

        init(
            id: EventID, time: Timestamp, workspace: WorkspaceName, stream: StreamID, streamSequence: UInt64,
            actor: Actor, causation: Causation, traceparent: String?, timeline: TimelineMark?, person: String?,
            payload: EventPayload
        ) {
            self.id = id
            self.time = time
            self.workspace = workspace
            self.stream = stream
            self.streamSequence = streamSequence
            self.actor = actor
            self.causation = causation
            self.traceparent = traceparent
            self.timeline = timeline
            self.person = person
            self.payload = payload
        }
    }

    private let content: Content

    package init(
        id: EventID, time: Timestamp, workspace: WorkspaceName, stream: StreamID, streamSequence: UInt64, actor: Actor,
        causation: Causation, traceparent: String?, timeline: TimelineMark?, person: String? = nil,
        payload: EventPayload
    ) {
        content = Content(
            id: id, time: time, workspace: workspace, stream: stream, streamSequence: streamSequence, actor: actor,
            causation: causation, traceparent: traceparent, timeline: timeline, person: person,
            payload: payload)
    }

    /// UUIDv7. The first event of a command has the command's own id; the others count up from it.
    package var id: EventID { content.id }
    package var time: Timestamp { content.time }
    package var workspace: WorkspaceName { content.workspace }
    package var stream: StreamID { content.stream }
    /// Dense from 1 within the stream.
    package var streamSequence: UInt64 { content.streamSequence }
    package var actor: Actor { content.actor }
    package var causation: Causation { content.causation }
    /// The W3C traceparent of the request, when it had one.
    package var traceparent: String? { content.traceparent }
    /// The event's place on its run's timeline, when clients see it there.
    package var timeline: TimelineMark? { content.timeline }
    /// The user id of whoever the event is about, which decides what its personal fields are sealed with. It is no part of
    /// the event: known only where it was decided.
    package var person: String? { content.person }
    package var payload: EventPayload { content.payload }

    package static func == (left: Event, right: Event) -> Bool {
        left.content === right.content
            || left.id == right.id && left.time == right.time && left.workspace == right.workspace
                && left.stream == right.stream && left.streamSequence == right.streamSequence
                && left.actor == right.actor && left.causation == right.causation
                && left.traceparent == right.traceparent && left.timeline == right.timeline
                && left.payload == right.payload
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(id) }

    /// The run this event belongs to, when it belongs to one.
    package var runID: RunID? {
        stream.kind == .run ? RunID(stream.id) : payload.correlatedRunID
    }

    /// The type that the run's timeline shows, when the event is on it.
    package var timelineType: String? {
        timeline.flatMap { payload.timelineType(serverDriven: $0.serverDriven) }
    }
}

/// An event with its place in the log.
package struct RecordedEvent: Hashable, Sendable {
    package let position: Position
    package let event: Event

    package init(position: Position, event: Event) {
        self.position = position
        self.event = event
    }
}

/// Which command an event came from.
package struct Causation: Hashable, Sendable {
    /// How many events of the same command stand before this one.
    package let index: UInt32
    /// The client's `Idempotency-Key` on the command's first event, when there was one.
    package let idempotency: IdempotencyToken?

    package init(index: UInt32, idempotency: IdempotencyToken?) {
        self.index = index
        self.idempotency = idempotency
    }
}

/// A place on the timeline that `GET /runs/{id}/events` shows.
package struct TimelineMark: Hashable, Sendable {
    /// The event's `seq`: dense from 1 within the run.
    package let sequence: UInt64
    /// Whether the server drives the run; it decides some of the types' names.
    package let serverDriven: Bool

    package init(sequence: UInt64, serverDriven: Bool) {
        self.sequence = sequence
        self.serverDriven = serverDriven
    }
}
