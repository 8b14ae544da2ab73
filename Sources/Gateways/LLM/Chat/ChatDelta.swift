package import Domain

/// A part of a streamed answer, in no provider's words.
package enum ChatDelta: Hashable, Sendable {
    case text(String)
    /// The call of that number begins; numbers count up from 0.
    case callBegun(Int, id: String, name: String)
    /// More of the text that the call's arguments are, as JSON.
    case callArguments(Int, String)
    case finish(FinishReason)
    case usage(TokenUsage)
}

extension ChatAnswer {
    /// The parts of a stream that amount to the answer.
    var deltas: [ChatDelta] {
        let calls = self.calls.enumerated().flatMap { number, call -> [ChatDelta] in
            [.callBegun(number, id: call.id, name: call.name), .callArguments(number, call.arguments.text.text)]
        }
        return (text.isEmpty ? [] : [.text(text)]) + calls + [.finish(finish)] + (usage.map { [.usage($0)] } ?? [])
    }
}

/// Writes an answer's parts as the chunks of a stream in OpenAI's format.
package struct CompletionChunks: ChatStreamWriter {
    private let identity: CompletionIdentity
    private let includesUsage: Bool
    private var isBegun = false
    private var finish: FinishReason?
    /// The last call, as long as it has no arguments: these are JSON, and nothing is not.
    private var bareCall: Int?
    private var order = SequentialDeltas()
    private(set) package var usage: TokenUsage?

    package init(_ identity: CompletionIdentity, includesUsage: Bool) {
        self.identity = identity
        self.includesUsage = includesUsage
    }

    package mutating func write(_ delta: ChatDelta, to bytes: inout [UInt8]) {
        for delta in order.read(delta) { writeNext(delta, to: &bytes) }
    }

    private mutating func writeNext(_ delta: ChatDelta, to bytes: inout [UInt8]) {
        switch delta {
        case .text(let text): chunk([.init(name: "content", value: .string(text))], to: &bytes)
        case .callBegun(let number, let id, let name):
            closeCall(to: &bytes)
            bareCall = number
            call(
                number,
                [
                    .init(name: "id", value: .string(AcceptedID.of(call: id))),
                    .init(name: "type", value: .string("function")),
                    .init(
                        name: "function",
                        value: .members(["name": .string(name), "arguments": .string("")])),
                ], to: &bytes)
        case .callArguments(let number, let text):
            if number == bareCall { bareCall = nil }
            call(number, [.init(name: "function", value: .members(["arguments": .string(text)]))], to: &bytes)
        case .finish(let reason): finish = reason
        case .usage(let usage): self.usage = usage
        }
    }

    /// Appends the end: why the model stopped, what was used when that was asked for, and `[DONE]`.
    package mutating func end(to bytes: inout [UInt8]) {
        for delta in order.finish() { writeNext(delta, to: &bytes) }
        closeCall(to: &bytes)
        chunk([], finish: finish ?? .stop, to: &bytes)
        if includesUsage {
            event(
                identity.document(
                    object: Self.object, choices: [], usage: (usage ?? TokenUsage(prompt: 0, completion: 0)).document),
                to: &bytes)
        }
        bytes += "data: [DONE]\n\n".utf8
    }

    private mutating func closeCall(to bytes: inout [UInt8]) {
        if let bareCall { writeNext(.callArguments(bareCall, "{}"), to: &bytes) }
    }

    private static let object = "chat.completion.chunk"

    private mutating func call(_ number: Int, _ members: [JSONValue.Member], to bytes: inout [UInt8]) {
        let call = JSONValue.object([.init(name: "index", value: .number(String(number)))] + members)
        chunk([.init(name: "tool_calls", value: .array([call]))], to: &bytes)
    }

    private mutating func chunk(
        _ members: [JSONValue.Member], finish: FinishReason? = nil, to bytes: inout [UInt8]
    ) {
        var members = members
        // The first says who speaks.
        if !isBegun { members.insert(.init(name: "role", value: .string("assistant")), at: 0) }
        isBegun = true
        let choice = JSONValue.members([
            "index": .number(0), "delta": .object(members), "logprobs": .null,
            "finish_reason": finish.map { .string($0.rawValue) } ?? .null,
        ])
        event(
            identity.document(object: Self.object, choices: [choice], usage: includesUsage ? .null : nil), to: &bytes)
    }

    private func event(_ document: JSONValue, to bytes: inout [UInt8]) {
        bytes += "data: ".utf8
        bytes += document.text.text.utf8
        bytes += "\n\n".utf8
    }

    /// A comment of server-sent events.
    package mutating func ping(to bytes: inout [UInt8]) { bytes += ": ping\n\n".utf8 }

    package func fail(_ message: String, to bytes: inout [UInt8]) {
        bytes += "data: ".utf8
        bytes += ModelErrors.document(message, type: "upstream_error").text.text.utf8
        bytes += "\n\n".utf8
    }
}
