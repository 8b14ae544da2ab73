import Domain
import EventStreaming
import Foundation

/// The body of a blocked call, as it is shown to whoever decides on it.
enum BlockedBody {
    case text(String)
    case bytes([UInt8])
    /// It was too large.
    case notKept
    /// Its key has been destroyed.
    case unreadable

    init(_ opened: [UInt8]?) {
        guard let opened else {
            self = .unreadable
            return
        }
        self = String(validating: opened, as: UTF8.self).map { .text($0) } ?? .bytes(opened)
    }

    var members: [JSONValue.Member] {
        switch self {
        case .text(let text): [.init(name: "payload", value: .string(text))]
        case .bytes(let bytes): [.init(name: "payload_base64", value: .string(Data(bytes).base64EncodedString()))]
        case .notKept: [.init(name: "payload_note", value: .string("the body is too large to be shown"))]
        case .unreadable: [.init(name: "payload_note", value: .string("the body cannot be shown any more"))]
        }
    }
}

extension JSONText {
    /// The object with further members.
    func adding(_ members: [JSONValue.Member]) -> JSONText {
        guard case .object(let own) = value else { return self }
        return JSONValue.object(own + members).text
    }
}
