import AsyncHTTPClient
import NIOCore

/// A tool's answer as it comes; it can be read once, by one reader after another.
// SAFETY: the iterator is used by one task at a time: the gate's first, then the one that writes to the agent.
final class AnswerChunks: @unchecked Sendable {
    private var chunks: HTTPClientResponse.Body.AsyncIterator

    init(_ body: HTTPClientResponse.Body) { chunks = body.makeAsyncIterator() }

    func next() async throws -> ByteBuffer? {
        var chunks = chunks
        defer { self.chunks = chunks }
        return try await chunks.next()
    }
}

/// What of an answer was read before it is recorded.
enum BegunAnswer {
    case whole([UInt8])
    /// More follows than is kept.
    case goesOn([UInt8])

    /// Reads to the end, or until there is more than `bytesMax`.
    init(_ chunks: AnswerChunks, bytesMax: Int) async throws {
        var body: [UInt8] = []
        while body.count <= bytesMax {
            guard let chunk = try await chunks.next() else {
                self = .whole(body)
                return
            }
            body += chunk.readableBytesView
        }
        self = .goesOn(body)
    }
}
