package import Domain

/// Events as JSON: for streams, exports and the command line.
package enum EventDocument {
    /// The whole log entry.
    package static func json(_ recorded: RecordedEvent) -> JSONText {
        let event = recorded.event
        return .object { json in
            json.add("position", recorded.position.value)
            json.add("id", event.id.description)
            json.add("time", event.time)
            json.add("workspace", event.workspace.text)
            json.add("stream", event.stream.description)
            json.add("stream_sequence", event.streamSequence)
            json.add("type", event.payload.typeName)
            json.add("actor", actor(event.actor))
            json.add("run_id", event.runID?.description)
            json.add("seq", event.timeline?.sequence)
            json.add("timeline_type", event.timelineType)
            json.add("idempotency_key", event.causation.idempotency?.key)
            json.add("traceparent", event.traceparent)
            json.add("data", data(event.payload))
        }
    }

    /// One entry of `GET /runs/{id}/events`.
    ///
    /// - Parameters:
    ///   - vocabulary: the names of types and members.
    ///   - call: for an entry that says no more than which call was made again, that call.
    package static func timelineEntry(
        _ recorded: RecordedEvent, in vocabulary: TimelineVocabulary, repeating call: ToolCalled? = nil
    ) -> JSONText {
        let event = recorded.event
        var shown = timelineContent(event.payload)
        shown.complete(for: event, vocabulary, repeating: call)
        let type = vocabulary.type(of: event)
        return .object { json in
            json.add("event_id", event.id.description)
            json.add("run_id", event.runID?.description)
            json.add("seq", event.timeline?.sequence)
            json.add("type", type)
            if type != event.timelineType { json.add("timeline_type", event.timelineType) }
            json.add("actor", shown.actor ?? (shown.isClients ? nil : event.actor.name))
            json.add("payload_hash", shown.payloadHash)
            json.add("data", shown.data)
            json.add("timestamp", event.time)
            let source = TimelineSource(event.payload)
            json.add("source", source.rawValue)
            if source != .server { json.add("recorded_by", event.actor.name) }
            guard vocabulary == .v1alpha else { return }
            json.add("id", event.id.description)
            json.add("sequence", event.timeline?.sequence)
            json.add("created_at", event.time)
            json.add("message", shown.data?.value["message"]?.string)
        }
    }

    /// A CloudEvents 1.0 envelope (JSON event format) around `data`.
    ///
    /// `source` and `id` together are unique, `subject` is the run. The extension attributes are `traceparent` and, as
    /// text because 64 bits do not fit into a CloudEvents integer, `sluiceposition`.
    package static func cloudEvent(_ recorded: RecordedEvent, data: JSONText) -> JSONText {
        let event = recorded.event
        return .object { json in
            json.add("specversion", "1.0")
            json.add("id", event.id.description)
            json.add("source", source(event))
            json.add("type", "dev.sluice.\(event.payload.typeName)")
            json.add("time", event.time)
            json.add("subject", event.runID?.description)
            json.add("datacontenttype", "application/json")
            json.add("traceparent", event.traceparent)
            json.add("sluiceposition", String(recorded.position.value))
            json.add("data", data)
        }
    }

    private static func source(_ event: Event) -> String {
        let stream = event.stream.kind == .run ? "runs/\(event.stream.id.text)" : event.stream.description
        return "/workspaces/\(event.workspace.text)/\(stream)"
    }

    /// Who caused an event.
    package static func actor(_ actor: Actor) -> JSONText {
        .object { json in
            switch actor.kind {
            case .apiKey(let id):
                json.add("kind", "api_key")
                json.add("api_key_id", id.description)
            case .person(let person):
                json.add("kind", "person")
                json.add("identity_provider", person.provider)
                json.add("subject", person.subject)
            case .decisionLink(let link):
                json.add("kind", "decision_link")
                json.add("connector", link.connectorName)
                json.add("link_id", link.deliveryID.description)
            case .system: json.add("kind", "system")
            }
            json.add("name", actor.name)
        }
    }

    struct TimelineContent {
        var actor: String?
        var payloadHash: String?
        var data: JSONText?
        var isClients = false
    }

    private static func timelineContent(_ payload: EventPayload) -> TimelineContent {
        switch payload {
        case .runEventAdded(let added):
            TimelineContent(actor: added.actor, payloadHash: added.payloadHash, data: added.data, isClients: true)
        case .actionBlocked(let blocked):
            TimelineContent(payloadHash: blocked.payloadHash?.text, data: data(payload))
        case .actionApproved(let approved):
            TimelineContent(payloadHash: approved.payloadHash?.text, data: data(payload))
        case .toolResultRecorded(let recorded): TimelineContent(data: withStatus(recorded.document))
        case .toolCalled(let called):
            TimelineContent(payloadHash: called.call.payloadHash.text, data: data(payload))
        default: TimelineContent(data: data(payload))
        }
    }
}
