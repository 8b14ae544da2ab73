/// A fact: one entry of the log, before or after it has a position.
///
/// Everything that a fold or an answer depends on is in here: time, ids and random choices included.
package struct Event: Hashable, Sendable {
    /// UUIDv7. The first event of a command has the command's own id; the others count up from it.
    package let id: EventID
    package let time: Timestamp
    package let workspace: WorkspaceName
    package let stream: StreamID
    /// Dense from 1 within the stream.
    package let streamSequence: UInt64
    package let actor: Actor
    package let causation: Causation
    /// The W3C traceparent of the request, when it had one.
    package let traceparent: String?
    /// The event's place on its run's timeline, when clients see it there.
    package let timeline: TimelineMark?
    package let payload: EventPayload

    package init(
        id: EventID, time: Timestamp, workspace: WorkspaceName, stream: StreamID, streamSequence: UInt64, actor: Actor,
        causation: Causation, traceparent: String?, timeline: TimelineMark?, payload: EventPayload
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
        self.payload = payload
    }

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
