import CommandHandling
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
                let chunk = try await self.nextAsSent()
                if let decided = self.redacted(chunk) { body += decided.readableBytesView }
                if chunk == nil { return .whole(body) }
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
        try await withThrowingTaskGroup(of: Wake.self) { group in
            defer { group.cancelAll() }
            var timers = RunningTimers()
            var isEnded = false
            while !isEnded {
                let chunk = try await nextPart(&group, &timers, heartbeat: heartbeat, beat)
                isEnded = chunk == nil
                guard let decided = redacted(chunk) else { continue }
                count += decided.readableBytes
                guard count <= bytesMax else { throw OutboundError.tooLarge(bytesMax: bytesMax) }
                try await write(decided)
            }
        }
    }

    private enum Wake: Sendable {
        case part(ByteBuffer?)
        case timer(ContinuousClock.Instant)
    }

    /// Waits for the peer's next part, and calls `beat` after each interval; an error of `beat` ends the wait.
    ///
    /// The timers go on over the parts of the answer: it may have many, and each wait would leave one behind.
    private func nextPart(
        _ group: inout ThrowingTaskGroup<Wake, any Error>, _ timers: inout RunningTimers, heartbeat: Duration?,
        _ beat: () async throws -> Void
    ) async throws -> ByteBuffer? {
        let isRead = Flag()
        group.addImmediateTask {
            defer { isRead.set() }
            return .part(try await self.untilEnd { try await self.nextAsSent() })
        }
        let begin = ContinuousClock.now
        let silenceEnd = begin + silenceMax
        var nextBeat = heartbeat.map { begin + $0 }
        while true {
            let end = nextBeat.map { min($0, silenceEnd) } ?? silenceEnd
            // Many parts are here already.
            if !isRead.isSet, timers.start(end) {
                group.addTask {
                    try await Task.sleep(until: end)
                    return .timer(end)
                }
            }
            switch try await group.next() {
            case .part(let part): return part
            case .timer(let end): timers.ended(end)
            case nil: throw CancellationError()
            }
            guard !isRead.isSet else { continue }
            let now = ContinuousClock.now
            if silenceEnd <= now { throw Self.silence }
            guard let heartbeat, let due = nextBeat, due <= now else { continue }
            try await beat()
            nextBeat = ContinuousClock.now + heartbeat
        }
    }

    private static var silence: OutboundError { .timedOut("the answer's next part") }

    private func nextAsSent() async throws -> ByteBuffer? {
        var chunks = chunks
        defer { self.chunks = chunks }
        return try await chunks.next()
    }

    /// The bytes that may be handed on after the peer's next part, `nil` at its end; what the redaction holds back is none.
    private func redacted(_ chunk: ByteBuffer?) -> ByteBuffer? {
        guard redaction != nil else { return chunk }
        let decided = chunk.map { redaction?.take(Array($0.readableBytesView)) } ?? redaction?.finish()
        return decided.flatMap { $0.isEmpty ? nil : ByteBuffer(bytes: $0) }
    }

    private func untilEnd<Value: Sendable>(_ read: @Sendable () async throws -> Value) async throws -> Value {
        guard let call else { return try await read() }
        return try await call.end.working(read)
    }

    /// Runs the operation; throws when it takes longer than a silence may.
    private func inTime<Value: Sendable>(_ read: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            let isRead = Flag()
            group.addImmediateTask {
                defer { isRead.set() }
                return try await read()
            }
            defer { group.cancelAll() }
            // Most answers are here already, and cost no timer.
            if !isRead.isSet {
                group.addTask { [silenceMax] in
                    try await Task.sleep(for: silenceMax)
                    return nil
                }
            }
            guard let value = try await group.next() ?? nil else { throw Self.silence }
            return value
        }
    }
}

/// A mark that is set once.
private final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .acquiring) }

    func set() { value.store(true, ordering: .releasing) }
}
