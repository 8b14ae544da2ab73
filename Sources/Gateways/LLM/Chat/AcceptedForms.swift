import Crypto
import Domain

/// Ids of tool calls as every format accepts them.
///
/// Anthropic and Bedrock accept letters, digits, `_` and `-`, Bedrock at most 64 and OpenAI at most 40 of them.
enum AcceptedID {
    static let bytesMax = 40
    private static let digestBytes = 8

    /// The id itself where it is accepted, else one made of it: the same for a call and its result. A signature in it
    /// stays; only providers that sign their calls get it.
    static func of(call id: String) -> String {
        let (bare, signature) = CallSignature.split(id)
        if let signature { return CallSignature.signed(of(call: bare), with: signature) }
        let isAccepted = !id.isEmpty && id.utf8.count <= bytesMax && id.utf8.allSatisfy(isAccepted)
        return isAccepted ? id : replacement(of: id)
    }

    /// An accepted text in the place of one that is not; different texts have different ones, but for chance.
    ///
    /// - Parameter attempt: Another number makes another text, for one that is taken.
    static func replacement(of text: String, attempt: Int = 0) -> String {
        let salt = attempt == 0 ? "" : "\0\(attempt)"
        let digest = SHA256.hash(data: Array((text + salt).utf8)).prefix(digestBytes).hexText
        let readable = text.utf8.map { Self.isAccepted($0) ? $0 : UInt8(ascii: "_") }
        return String(decoding: readable.prefix(bytesMax - digest.utf8.count - 1), as: UTF8.self) + "_" + digest
    }

    static func isAccepted(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

/// Results of failed tool calls in formats that have no member for the failure.
enum FailedResult {
    /// Begins the text of such a result, whatever the text is.
    static let prefix = "Error: "
}

/// The end user as a provider of another format gets it: providers ask for an id without a name or mail address, and
/// limit its length, each in its own way.
enum OpaqueUser {
    static func id(of user: String) -> String { Array(SHA256.hash(data: Array(user.utf8))).hexText }
}

/// Schemas of tool arguments as every provider accepts them.
enum ToolSchema {
    /// The schema with the `type` that Anthropic requires and the `properties` that OpenAI requires.
    static func ofObject(_ schema: JSONValue) -> JSONValue {
        var members: [JSONValue.Member] = if case .object(let given) = schema { given } else { [] }
        if let type = members.firstIndex(where: { $0.name == "type" }) {
            members[type] = .init(name: "type", value: .string("object"))
        } else {
            members.insert(.init(name: "type", value: .string("object")), at: 0)
        }
        if !members.contains(where: { $0.name == "properties" }) {
            members.append(.init(name: "properties", value: .object([])))
        }
        return .object(members)
    }
}

extension String {
    /// The text as it may end an assistant's last message.
    var withoutTrailingSpace: String {
        guard let last = lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(self[...last])
    }
}
