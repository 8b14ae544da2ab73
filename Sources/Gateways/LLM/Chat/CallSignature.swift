import Authentication
import Domain
import Foundation

/// The state of a model's reasoning, which some providers attach to a tool call and require back with it, carried within
/// the call's id: the one part of a call that every client sends back as it came.
///
/// A signed id has only letters, digits, `_` and `-`, as every format accepts them.
enum CallSignature {
    private static let mark = "__signed__"

    /// The id with the signature in it.
    static func signed(_ id: String, with signature: String) -> String {
        id + mark + Base64URL.encode(signature.utf8)
    }

    /// The id that the provider gave and the signature in it; the id as it is when it has none.
    static func split(_ id: String) -> (id: String, signature: String?) {
        guard let range = id.range(of: mark), let signature = text(id[range.upperBound...]) else { return (id, nil) }
        return (String(id[..<range.lowerBound]), signature)
    }

    private static func text(_ digits: Substring) -> String? {
        guard !digits.isEmpty, let bytes = Base64URL.decode(digits.utf8) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// True when the bytes may have a signed id in them.
    static func isMarked(_ body: [UInt8]) -> Bool {
        let mark = Array(mark.utf8)
        return body.withUnsafeBufferPointer { bytes in
            var index = 0
            while index + mark.count <= bytes.count {
                if bytes[index] == mark[0], bytes[index...].starts(with: mark) { return true }
                index += 1
            }
            return false
        }
    }
}

extension ChatRequest {
    /// The request for a provider that did not sign its calls.
    var withoutCallSignatures: ChatRequest {
        var request = self
        request.messages = messages.map { message in
            switch message {
            case .assistant(let text, let calls):
                .assistant(
                    text: text,
                    calls: calls.map { call in
                        var call = call
                        call.id = CallSignature.split(call.id).id
                        return call
                    })
            case .tool(let id, let content, let isError):
                .tool(callID: CallSignature.split(id).id, content: content, isError: isError)
            case .user, .system: message
            }
        }
        return request
    }
}

extension JSONValue {
    private static let idNames: Set<String> = ["id", "tool_call_id", "tool_use_id", "call_id"]

    /// The document of a caller without the signatures in the ids of its calls.
    var withoutCallSignatures: JSONValue {
        switch self {
        case .array(let values): .array(values.map(\.withoutCallSignatures))
        case .object(let members):
            .object(
                members.map { member in
                    guard Self.idNames.contains(member.name), let id = member.value.string else {
                        return Member(name: member.name, value: member.value.withoutCallSignatures)
                    }
                    return Member(name: member.name, value: .string(CallSignature.split(id).id))
                })
        case .string, .number, .bool, .null: self
        }
    }
}
