import Crypto
import Domain

/// Ids of tool calls as Mistral accepts them: nine letters and digits. It refuses the ids of all other providers.
enum MistralCallID {
    static let length = 9
    private static let characters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)

    /// The id itself where it is accepted, as Mistral's own ids are, else one made of it: the same for a call and its
    /// result, in every turn.
    static func of(call id: String) -> String {
        guard !isAccepted(id) else { return id }
        var number = SHA256.hash(data: Array(id.utf8)).prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let made = (0..<length).map { _ in
            defer { number /= UInt64(characters.count) }
            return characters[Int(number % UInt64(characters.count))]
        }
        return String(decoding: made, as: UTF8.self)
    }

    static func isAccepted(_ id: String) -> Bool { id.utf8.count == length && id.utf8.allSatisfy(characters.contains) }
}

extension JSONValue {
    /// A request in OpenAI's format with ids of calls that Mistral accepts; `nil` when all of them are.
    var withMistralCallIDs: JSONValue? {
        var isChanged = false
        func accepted(_ message: JSONValue, _ name: String) -> JSONValue {
            guard let id = message[name]?.string, !MistralCallID.isAccepted(id) else { return message }
            isChanged = true
            return message.replacing(name) { _ in .string(MistralCallID.of(call: id)) }
        }
        let changed = replacing("messages") { messages in
            guard case .array(let messages) = messages else { return messages }
            return .array(
                messages.map { message in
                    accepted(message, "tool_call_id").replacing("tool_calls") { calls in
                        guard case .array(let calls) = calls else { return calls }
                        return .array(calls.map { accepted($0, "id") })
                    }
                })
        }
        return isChanged ? changed : nil
    }
}
