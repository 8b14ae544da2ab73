import NIOCore
import Outbound
import Synchronization

/// A peer's answer as it comes, with secrets redacted; it can be read once, by one reader after another.
// SAFETY: the iterator is used by one task at a time: the gate's first, then the one that writes to the agent.
final class AnswerChunks: @unchecked Sendable {
    enum Beginning: Sendable {
        case whole([UInt8])
        /// There is more, or may be.
        case part([UInt8])
    }

    private var chunks: OutboundResponse.Body.AsyncIterator
    private let silenceMax: Duration
    /// The call that the answer is to: its end ends the reading, also after the gate's own task.
    private let call = CallInFlight.current
    private var redaction: RedactionStream?

    /// - Parameters:
    ///   - silenceMax: The time that the beginning may take, and the wait for each further part.
    ///   - redactor: Redacts secrets, wherever the chunks are cut.
    init(_ response: OutboundResponse, silenceMax: Duration, redactor: Redactor = .none) {
        chunks = response.body.makeAsyncIterator()
        self.silenceMax = silenceMax
        redaction =
            redactor.isEmpty ? nil : RedactionStream(redactor, contentType: response.header("content-type"))
    }

    /// Reads the answer, or what comes until it is longer than that.
    func begin(upTo bytesMax: Int) async throws -> Beginning {
        try await inTime {
            var body: [UInt8] = []
            while body.count <= bytesMax {
                guard let chunk = try await self.next({ try await self.nextAsSent() }) else { return .whole(body) }
                body += chunk.readableBytesView
            }
            return .part(body)
        }
    }

    /// Writes what was read and all that follows; throws when the tool breaks off, is silent or sends too much.
    ///
    /// - Parameters:
    ///   - heartbeat: the silence of the peer after which `beat` is called, again and again; `nil` for never.
    ///   - beat: tells the reader that the peer is still awaited.
    func write(
        after begun: [UInt8], upTo bytesMax: Int, heartbeat: Duration? = nil, beat: () async throws -> Void = {},
        to write: (ByteBuffer) async throws -> Void
    ) async throws {
        if !begun.isEmpty { try await write(ByteBuffer(bytes: begun)) }
        var count = begun.count
        // What the redaction holds back is no silence of the peer.
        let nextUntilEnd: @Sendable () async throws -> ByteBuffer? = {
            try await self.untilEnd { try await self.nextAsSent() }
        }
        while let chunk = try await next({
            guard let heartbeat else { return try await nextUntilEnd() }
            return try await Self.waiting(beatingEvery: heartbeat, beat, nextUntilEnd)
        }) {
            count += chunk.readableBytes
            guard count <= bytesMax else { throw OutboundError.tooLarge(bytesMax: bytesMax) }
            try await write(chunk)
        }
    }

    /// Waits for the value, and calls `beat` after each interval; an error of `beat` ends the wait.
    private static func waiting<Value: Sendable>(
        beatingEvery interval: Duration, _ beat: () async throws -> Void,
        _ read: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            let isRead = Flag()
            group.addImmediateTask {
                defer { isRead.set() }
                return try await read()
            }
            defer { group.cancelAll() }
            // Most answers are here already, and cost no timer.
            while !isRead.isSet {
                group.addTask {
                    try await Task.sleep(for: interval)
                    return nil
                }
                guard let result = try await group.next() else { break }
                if let value = result { return value }
                try await beat()
            }
            while let result = try await group.next() { if let value = result { return value } }
            throw CancellationError()
        }
    }

    private func next(_ nextAsSent: () async throws -> ByteBuffer?) async throws -> ByteBuffer? {
        guard redaction != nil else { return try await nextAsSent() }
        while let chunk = try await nextAsSent() {
            if let decided = redaction?.take(Array(chunk.readableBytesView)), !decided.isEmpty {
                return ByteBuffer(bytes: decided)
            }
        }
        let rest = redaction?.finish() ?? []
        return rest.isEmpty ? nil : ByteBuffer(bytes: rest)
    }

    private func nextAsSent() async throws -> ByteBuffer? {
        var chunks = chunks
        defer { self.chunks = chunks }
        return try await chunks.next()
    }

    private func untilEnd<Value: Sendable>(_ read: @escaping @Sendable () async throws -> Value) async throws -> Value {
        guard let call else { return try await inTime(read) }
        return try await call.end.racing { try await self.inTime(read) }
    }

    private func inTime<Value: Sendable>(_ read: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await Self.waiting(
            beatingEvery: silenceMax, { throw OutboundError.timedOut("the answer's next part") }, read)
    }
}

/// A mark that is set once.
private final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .acquiring) }

    func set() { value.store(true, ordering: .releasing) }
}
