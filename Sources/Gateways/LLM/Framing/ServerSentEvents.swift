/// Server-sent events (html.spec.whatwg.org, section 9.2.6) of a stream that comes in pieces: the data of each.
package struct ServerSentEvents: Sendable {
    private let bytesMax: Int
    private var lines: LineFrames
    private var data: [UInt8] = []
    private var hasData = false

    /// - Parameter bytesMax: how long a line may be, and the data of one event.
    package init(bytesMax: Int) {
        self.bytesMax = bytesMax
        lines = LineFrames(lineBytesMax: bytesMax)
    }

    /// The data of the events that the bytes finish.
    package mutating func read(_ bytes: some Sequence<UInt8>) throws(BrokenStream) -> [[UInt8]] {
        var events: [[UInt8]] = []
        for line in try lines.read(bytes) {
            if line.isEmpty {
                if hasData { events.append(data) }
                data.removeAll(keepingCapacity: true)
                hasData = false
            } else if line.starts(with: "data:".utf8) {
                let value = line.dropFirst(line.dropFirst(5).first == UInt8(ascii: " ") ? 6 : 5)
                guard data.count + value.count < bytesMax else {
                    throw BrokenStream("an event is longer than \(bytesMax) bytes")
                }
                if hasData { data.append(UInt8(ascii: "\n")) }
                data += value
                hasData = true
            }
        }
        return events
    }
}
