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
    /// How many entries are read at a time for a client: it may take them slowly, and it is not alone.
    private static let historyLimit = 64

    /// One run's timeline: what is there already, then what comes, until the run is finished.
    func streamRun(_ request: APIRequest) async throws -> Response {
        let format = try StreamFormat(request, RepeatedCalls(projections))
        let visible = projections.position
        let run = try await run(try request.runID(), request)
        var after = try request.query("after_seq", in: 0...UInt64.max >> 1) ?? 0
        if let position = try lastEventID(request) {
            after = try await projections.sequence(ofTimeline: run.id, at: position)
        }
        let start = after
        var filter = EventFilter(workspace: request.workspace)
        filter.runID = run.id
        let subject = StreamSubject(filter: filter, format: format, showsTimeline: true)
        return try openStream(request) { stream in
            let (shown, position) = try await self.sendHistory(of: run.id, after: start, from: visible, format, stream)
            if run.status.isFinished { return try await stream.write(StreamFormat.end) }
            // A client may ask for what comes after an entry that is not there yet.
            let newest = try await self.projections.sequence(ofTimeline: run.id, at: position)
            try await self.follow(subject, after: position, hiddenThrough: newest < shown ? shown : nil, stream)
        }
    }

    /// Sends the entries that are there already.
    ///
    /// - Returns: the last one's `seq`, and its position unless that is before `position`.
    private func sendHistory(
        of run: RunID, after sequence: UInt64, from position: Position, _ format: StreamFormat, _ stream: StreamWriter
    ) async throws -> (sequence: UInt64, position: Position) {
        try await cancelWhenGracefulShutdown { [projections, throttle = dependencies.streamer.throttle] in
            var (shown, position) = (sequence, position)
            var isFirst = true
            while true {
                let read = { try await projections.timeline(run, after: shown, limit: Self.historyLimit) }
                // The first page is a read like any other; a long history waits for its turn.
                let page = isFirst ? try await read() : try await throttle.run(read)
                isFirst = false
                try await stream.write(page.records.lazy.map { format.entry($0) })
                guard let last = page.records.last else { return (shown, position) }
                (shown, position) = (last.event.timeline?.sequence ?? shown, max(position, last.position))
                guard page.hasMore else { return (shown, position) }
            }
        }
    }

    /// The whole log of the workspace, filtered, without end.
    func streamEvents(_ request: APIRequest) async throws -> Response {
        let format = try StreamFormat(request, RepeatedCalls(projections))
        var filter = EventFilter(workspace: request.workspace)
        if let text = request.query("run") {
            guard let id = RunID(text) else { throw APIError.badRequest("run must be a run's id") }
            filter.runID = id
        }
        filter.agentID = try agentID(request.query("agent"), request)
        let types = (request.query("type") ?? "").split(separator: ",").map(String.init)
        filter.types = Set(types.flatMap(request.era.vocabulary.recordedTypes))
        let after = try request.query("after_seq", in: 0...UInt64.max >> 1).map(Position.init)
        let start = try lastEventID(request) ?? after ?? projections.position
        let subject = StreamSubject(filter: filter, format: format, showsTimeline: false)
        return try openStream(request) { stream in
            try await self.follow(subject, after: start, hiddenThrough: nil, stream)
        }
    }

    /// Sends what comes after `start`: alone until the client has caught up, then together with all who follow the same,
    /// and alone again when it does not keep up with them.
    ///
    /// - Parameter hiddenThrough: entries of the run's timeline up to this `seq`, which is not there yet, are left out.
    private func follow(
        _ subject: StreamSubject, after start: Position, hiddenThrough: UInt64?, _ stream: StreamWriter
    ) async throws {
        let streamer = dependencies.streamer
        let connection = StreamConnection(stream.channel)
        var (follower, hidden) = (streamer.follow(subject.filter, after: start), hiddenThrough)
        while true {
            // A group hides nothing.
            if hidden == nil, let departure = await hub.follow(subject, connection, from: follower.position) {
                guard case .lagging(let reached) = departure else { return }
                follower = streamer.follow(subject.filter, after: reached)
            }
            let (place, hiddenThrough) = (follower, hidden)
            let step = try await cancelWhenGracefulShutdown {
                try await Self.step(place, subject, hiddenThrough, stream)
            }
            guard let step else { return }
            (follower, hidden) = step
        }
    }

    /// Sends the next items; `nil` when nothing follows.
    private static func step(
        _ follower: EventFollower, _ subject: StreamSubject, _ hiddenThrough: UInt64?, _ stream: StreamWriter
    ) async throws -> (follower: EventFollower, hiddenThrough: UInt64?)? {
        var (follower, hidden) = (follower, hiddenThrough)
        guard let items = try await follower.nextBatch() else { return nil }
        var (shown, isEnd): ([StreamItem], Bool) = ([], false)
        for item in items {
            switch item {
            case .event(let recorded):
                if let last = hidden {
                    guard let sequence = recorded.event.timeline?.sequence, sequence > last else { continue }
                    hidden = nil
                }
            case .heartbeat: break
            case .end: isEnd = true
            }
            shown.append(item)
        }
        try await stream.write(shown.lazy.map { subject.text($0) })
        return isEnd ? nil : (follower, hidden)
    }

    private func lastEventID(_ request: APIRequest) throws -> Position? {
        guard let text = request.header(.lastEventID), !text.isEmpty else { return nil }
        guard let value = UInt64(text), value <= UInt64.max >> 1 else {
            throw APIError.badRequest("Last-Event-ID must be a position that this stream has sent")
        }
        return Position(value)
    }

    /// Takes a stream of the principal's share, and ends what is sent when the principal's access ends.
    ///
    /// - Parameter lastPart: the text that the client then gets before the connection closes; without one the response
    ///   breaks off, so that no client takes a part for the whole.
    func takeStreamPlace(_ request: APIRequest, lastPart: String? = nil) throws(APIError) -> StreamPlace {
        do throws(ShareRefusal) {
            return try takePlace(of: streams, request, lastPart: lastPart)
        } catch {
            throw APIError(error, of: "event streams", code: .tooManyStreams)
        }
    }

    /// Takes a whole list, history or export of the principal's share; it breaks off when the principal's access ends.
    func takeListPlace(_ request: APIRequest) throws(APIError) -> StreamPlace {
        do throws(ShareRefusal) {
            return try takePlace(of: lists, request, lastPart: nil)
        } catch {
            throw APIError(error, of: "whole lists, histories and exports", code: .tooManyLists)
        }
    }

    private func takePlace(
        of pool: SharePool<Actor.Kind>, _ request: APIRequest, lastPart: String?
    ) throws(ShareRefusal) -> StreamPlace {
        let (permit, channel) = (try pool.take(for: request.principal.caller), request.channel)
        let registration = dependencies.access.register(request.principal) {
            StreamDeparture.end(channel, after: lastPart)
        }
        return StreamPlace(permit: permit, registration: registration)
    }

    /// Answers with a stream that ends when `body` does, or is shut down in whatever it waits for.
    func openStream(
        _ request: APIRequest, _ body: @escaping @Sendable (StreamWriter) async throws -> Void
    ) throws -> Response {
        stream(request, try takeStreamPlace(request, lastPart: StreamFormat.revoked), body)
    }

    /// The same in a place that is taken already, for what must not begin without one.
    func stream(
        _ request: APIRequest, _ place: StreamPlace, _ body: @escaping @Sendable (StreamWriter) async throws -> Void
    ) -> Response {
        let channel = request.channel
        let headers: HTTPFields = [.contentType: "text/event-stream", .cacheControl: "no-store"]
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                defer { withExtendedLifetime(place) {} }
                do {
                    let stream = StreamWriter(writer, channel)
                    // An access that ends right after the headers ends the stream with its last event.
                    try await StreamDeparture.watching(channel) {
                        // Headers reach the client with the first bytes.
                        try await stream.write(": open\n\n")
                        try await body(stream)
                    }
                } catch {
                    // The client is gone, the server shuts down, or the log cannot be read: the stream ends, and a client
                    // that connects again with its last position misses nothing.
                }
                try await writer.finish(nil)
            })
    }
}

/// Writes text to a response's body.
///
/// Each part is in the connection's buffer, and counts to its watermark, before the next one is made.
// SAFETY: the writer is used by one task at a time: the closure it is handed to, which is awaited where it is made.
struct StreamWriter: @unchecked Sendable {
    private let writer: any ResponseBodyWriter
    /// The client's connection.
    let channel: any Channel

    init(_ writer: any ResponseBodyWriter, _ channel: any Channel) {
        self.writer = writer
        self.channel = channel
    }

    /// Writes, and waits for a client that reads slowly.
    func write(_ text: String) async throws { try await write(CollectionOfOne(text)) }

    /// Writes texts a part at a time, so that of many of them little is in hand while a client reads slowly.
    func write(_ texts: some Sequence<String>) async throws {
        var part = ByteBuffer()
        for text in texts {
            part.writeString(text)
            guard part.readableBytes >= ResponseChunks.bytesMin else { continue }
            try await write(part)
            part = ByteBuffer()
        }
        if part.readableBytes > 0 { try await write(part) }
    }

    /// Writes bytes in parts of at most `ResponseChunks.bytesMax`; returns once the connection has the last of them and
    /// may still hold up to its watermark.
    func write(_ bytes: ByteBuffer) async throws {
        var writer = writer
        for part in ResponseChunks.split(bytes) {
            try await writer.write(part)
            // A write returns before the event loop has seen it. Only then is it known that the client does not keep up.
            try await channel.eventLoop.submit {}.get()
        }
    }
}

/// How a stream shows an event.
struct StreamFormat: Hashable, Sendable {
    static let heartbeat = ": heartbeat\n\n"
    static let end = "event: end\ndata: {}\n\n"
    /// The last event of a stream whose principal has lost its access.
    static let revoked = "event: revoked\ndata: {\"error\":\"the key or the token is no longer valid\"}\n\n"

    private let isCloudEvents: Bool
    private let vocabulary: TimelineVocabulary
    private let calls: RepeatedCalls

    init(_ request: APIRequest, _ calls: RepeatedCalls) throws(APIError) {
        switch request.query("format") {
        case nil: isCloudEvents = false
        case "cloudevents": isCloudEvents = true
        default: throw .badRequest("format must be cloudevents or left out")
        }
        vocabulary = request.era.vocabulary
        self.calls = calls
    }

    func entry(_ recorded: RecordedEvent) -> String {
        let name = vocabulary.type(of: recorded.event) ?? recorded.event.payload.typeName
        return frame(recorded, name, calls.entry(recorded, in: vocabulary))
    }

    func logEntry(_ recorded: RecordedEvent) -> String {
        frame(recorded, recorded.event.payload.typeName, EventDocument.json(recorded))
    }

    /// The names of the stream's own events.
    private static let ownNames: Set = ["end", "revoked", "error"]
    /// The name of an entry whose type is one of the stream's own; the type itself is in its data.
    private static let nameOfOthers = "entry"

    /// JSON here is on one line, so that one `data:` line holds it. A type that a client made up may not break the frame.
    private func frame(_ recorded: RecordedEvent, _ type: String, _ data: JSONText) -> String {
        let shown = isCloudEvents ? EventDocument.cloudEvent(recorded, data: data) : data
        // Clients differ in what they trim, and in whether case counts.
        let isOwn = Self.ownNames.contains(type.filter { !$0.isWhitespace }.lowercased())
        return "id: \(recorded.position)\nevent: \(isOwn ? Self.nameOfOthers : type)\ndata: \(shown.text)\n\n"
    }
}
