import Domain
import EventStreaming
import Foundation

/// A blocked body as it stands on the page of a decision link: no more than fits a page, and nothing that hides.
extension BlockedBody {
    /// How many characters of text, and how many bytes of anything else.
    static let shownMax = 16 * 1024

    /// A heading, how much it is, and the beginning of it. Every text in it is escaped.
    func html(payloadHash: String?) -> String {
        let heading = "<h2>Body</h2>"
        let promise = payloadHash == nil ? "" : "An approval is for exactly these bytes."
        switch self {
        case .text(let text) where text.isEmpty: return heading + DecisionPage.paragraph("The body is empty.")
        case .text(let text):
            let size = "\(text.utf8.count) bytes of text. "
            let cut = isCut ? "Only the first \(Self.shownMax) characters are shown here. " : ""
            return heading + DecisionPage.paragraph(size + cut + promise)
                + "<pre>\(ConsentPage.escaped(Self.revealed(shownText(text))))</pre>"
        case .bytes(let bytes):
            let size = "\(bytes.count) bytes of binary data, in base64. "
            let cut = isCut ? "Only the first \(Self.shownMax) bytes are shown here. " : ""
            return heading + DecisionPage.paragraph(size + cut + promise)
                + "<pre>\(Self.base64(bytes))</pre>"
        case .notKept: return heading + DecisionPage.paragraph("The body is too large to be shown.")
        case .unreadable: return heading + DecisionPage.paragraph("The body cannot be shown any more.")
        }
    }

    /// The members that a GET of the request has, cut like the page.
    var decisionMembers: [JSONValue.Member] {
        let own: [JSONValue.Member] =
            switch self {
            case .text(let text): [.init(name: "payload", value: .string(shownText(text)))]
            case .bytes(let bytes): [.init(name: "payload_base64", value: .string(Self.base64(bytes)))]
            case .notKept, .unreadable: members
            }
        return own + (isCut ? [.init(name: "payload_truncated", value: .bool(true))] : [])
    }

    private var isCut: Bool {
        switch self {
        case .text(let text): text.unicodeScalars.count > Self.shownMax
        case .bytes(let bytes): bytes.count > Self.shownMax
        case .notKept, .unreadable: false
        }
    }

    private func shownText(_ text: String) -> String { String(Substring(text.unicodeScalars.prefix(Self.shownMax))) }

    private static func base64(_ bytes: [UInt8]) -> String { Data(bytes.prefix(shownMax)).base64EncodedString() }

    /// Characters that cannot be seen, or turn the direction of others, are named in the place of working.
    static func revealed(_ text: String) -> String {
        var shown = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control where scalar == "\n" || scalar == "\t": shown.unicodeScalars.append(scalar)
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
                shown += "[U+\(String(scalar.value, radix: 16, uppercase: true))]"
            default: shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }
}
