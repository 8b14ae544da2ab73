import CommandHandling
import Domain
import EventStreaming
import HTTPTypes
import Hummingbird
import NIOCore
import Projections
import ServiceLifecycle

/// Server-Sent Events (WHATWG HTML, section 9.2): `id:` is a log position, from which a client goes on.
extension APIHandlers {
    /// One run's timeline: what is there already, then what comes, until the run is finished.
    func streamRun(_ request: APIRequest) async throws -> Response {
        let format = try StreamFormat(request)
        let visible = projections.position
        let run = try await run(try request.runID(), request)
        var after = try request.query("after_seq", in: 0...UInt64.max >> 1) ?? 0
        if let position = try lastEventID(request) {
            after = try await projections.sequence(ofTimeline: run.id, at: position)
        }
        let start = after
        var filter = EventFilter(workspace: request.workspace)
        filter.runID = run.id
        let follower = dependencies.streamer.follow(filter, after: visible)
        return try openStream { [projections] writer in
            var shown = start
            while true {
                let page = try await projections.timeline(run.id, after: shown, limit: 500)
                for recorded in page.records { try await writer.write(format.entry(recorded)) }
                shown = page.records.last?.event.timeline?.sequence ?? shown
                guard page.hasMore else { break }
            }
            if run.status.isFinished { return try await writer.write(StreamFormat.end) }
            for try await item in follower {
                switch item {
                case .heartbeat: try await writer.write(StreamFormat.heartbeat)
                case .end: try await writer.write(StreamFormat.end)
                case .event(let recorded):
                    guard let sequence = recorded.event.timeline?.sequence, sequence > shown else { continue }
                    try await writer.write(format.entry(recorded))
                    shown = sequence
                }
            }
        }
    }

    /// The whole log of the workspace, filtered, without end.
    func streamEvents(_ request: APIRequest) async throws -> Response {
        let format = try StreamFormat(request)
        var filter = EventFilter(workspace: request.workspace)
        if let text = request.query("run") {
            guard let id = RunID(text) else { throw APIError.badRequest("run must be a run's id") }
            filter.runID = id
        }
        filter.agentID = request.query("agent")
        filter.types = Set((request.query("type") ?? "").split(separator: ",").map(String.init))
        let after = try request.query("after_seq", in: 0...UInt64.max >> 1).map(Position.init)
        let start = try lastEventID(request) ?? after ?? projections.position
        let follower = dependencies.streamer.follow(filter, after: start)
        return try openStream { writer in
            for try await item in follower {
                switch item {
                case .heartbeat: try await writer.write(StreamFormat.heartbeat)
                case .end: try await writer.write(StreamFormat.end)
                case .event(let recorded): try await writer.write(format.logEntry(recorded))
                }
            }
        }
    }

    private func lastEventID(_ request: APIRequest) throws -> Position? {
        guard let text = request.header(.lastEventID), !text.isEmpty else { return nil }
        guard let value = UInt64(text), value <= UInt64.max >> 1 else {
            throw APIError.badRequest("Last-Event-ID must be a position that this stream has sent")
        }
        return Position(value)
    }

    /// Answers with a stream that ends when `body` does or the server shuts down. Each write waits for the client.
    private func openStream(
        _ body: @escaping @Sendable (inout StreamWriter) async throws -> Void
    ) throws -> Response {
        guard let place = Budget.Place(in: streamPlaces) else {
            throw APIError(
                .tooManyRequests, .tooManyStreams, "too many event streams are open; close some or try again"
            ).retryAfter(seconds: 5)
        }
        let headers: HTTPFields = [.contentType: "text/event-stream", .cacheControl: "no-store"]
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { responseWriter in
                defer { withExtendedLifetime(place) {} }
                let writer = StreamWriter(responseWriter)
                try? await cancelWhenGracefulShutdown {
                    var writer = writer
                    // Headers reach the client with the first bytes.
                    try await writer.write(": open\n\n")
                    try await body(&writer)
                }
                try await responseWriter.finish(nil)
            })
    }
}

/// Writes text to a response's body.
// SAFETY: the writer is used by one task at a time: the closure it is handed to, which is awaited where it is made.
struct StreamWriter: @unchecked Sendable {
    private var writer: any ResponseBodyWriter

    init(_ writer: any ResponseBodyWriter) { self.writer = writer }

    mutating func write(_ text: String) async throws { try await writer.write(ByteBuffer(string: text)) }
}

/// How a stream shows an event.
struct StreamFormat: Sendable {
    static let heartbeat = ": heartbeat\n\n"
    static let end = "event: end\ndata: {}\n\n"

    private let isCloudEvents: Bool
    private let era: Era

    init(_ request: APIRequest) throws(APIError) {
        switch request.query("format") {
        case nil: isCloudEvents = false
        case "cloudevents": isCloudEvents = true
        default: throw .badRequest("format must be cloudevents or left out")
        }
        era = request.era
    }

    func entry(_ recorded: RecordedEvent) -> String {
        let entry = EventDocument.timelineEntry(recorded, withAliases: era == .v1alpha)
        return frame(recorded, recorded.event.timelineType ?? recorded.event.payload.typeName, entry)
    }

    func logEntry(_ recorded: RecordedEvent) -> String {
        frame(recorded, recorded.event.payload.typeName, EventDocument.json(recorded))
    }

    /// JSON here is on one line, so that one `data:` line holds it. A type that a client made up may not break the frame.
    private func frame(_ recorded: RecordedEvent, _ type: String, _ data: JSONText) -> String {
        let shown = isCloudEvents ? EventDocument.cloudEvent(recorded, data: data) : data
        return "id: \(recorded.position)\nevent: \(type)\ndata: \(shown.text)\n\n"
    }
}
