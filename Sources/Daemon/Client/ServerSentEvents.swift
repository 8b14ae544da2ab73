/// One event of a stream.
package struct ServerSentEvent: Hashable, Sendable {
    package fileprivate(set) var id: String?
    package fileprivate(set) var type = ""
    package fileprivate(set) var data = ""
}

/// Takes a stream of Server-Sent Events apart, however its bytes are cut (WHATWG HTML, section 9.2.6).
struct ServerSentEventReader: Sendable {
    /// A stream whose line is longer is none of ours: the log's largest event is shorter.
    private static let lineBytesMax = 64 * 1024 * 1024

    struct LineTooLong: Error {}

    private var line: [UInt8] = []
    private var event = ServerSentEvent()
    private var hasData = false
    private var endedWithReturn = false

    /// The events that are whole with these bytes, in order. Comments are left out.
    mutating func take(_ bytes: [UInt8]) throws(LineTooLong) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        for byte in bytes {
            let isAfterReturn = endedWithReturn
            endedWithReturn = byte == UInt8(ascii: "\r")
            switch byte {
            case UInt8(ascii: "\n") where isAfterReturn: break
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                if let whole = endLine() { events.append(whole) }
            default:
                guard line.count < Self.lineBytesMax else { throw LineTooLong() }
                line.append(byte)
            }
        }
        return events
    }

    private mutating func endLine() -> ServerSentEvent? {
        defer { line.removeAll(keepingCapacity: true) }
        guard !line.isEmpty else {
            defer { (event, hasData) = (ServerSentEvent(), false) }
            return hasData ? event : nil
        }
        let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
        var value = parts.count > 1 ? parts[1] : []
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        let text = String(decoding: value, as: UTF8.self)
        switch String(decoding: parts[0], as: UTF8.self) {
        case "id": event.id = text
        case "event": event.type = text
        case "data":
            event.data += hasData ? "\n" + text : text
            hasData = true
        default: break
        }
        return nil
    }
}
