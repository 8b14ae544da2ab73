import Domain
import EventStreaming
import NIOCore

/// Some entries as they go out, made once for everybody who gets them.
struct StreamChunk: Sendable {
    private let bytes: ByteBuffer
    /// Where each entry ends, with its position, in order.
    private var ends: [(position: Position, offset: Int)] = []
    /// The newest position in it; `nil` for a mere sign of life.
    var last: Position? { ends.last?.position }
    /// Whether nothing follows.
    private(set) var isEnd = false

    init(_ items: [StreamItem], of subject: StreamSubject) {
        var bytes = ByteBuffer()
        for item in items {
            bytes.writeString(subject.text(item))
            switch item {
            case .event(let recorded): ends.append((recorded.position, bytes.writerIndex))
            case .heartbeat: break
            case .end: isEnd = true
            }
        }
        self.bytes = bytes
    }

    /// The entries after `position`; the bytes are shared, not copied.
    func bytes(after position: Position) -> ByteBuffer {
        guard let first = ends.first, first.position <= position else { return bytes }
        var rest = bytes
        let skipped = ends.last { $0.position <= position }?.offset ?? 0
        rest.moveReaderIndex(forwardBy: skipped)
        return rest
    }
}
