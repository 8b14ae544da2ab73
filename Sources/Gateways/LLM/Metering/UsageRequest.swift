package import Domain

/// Asks a provider of OpenAI's format for the usage of a stream whose caller did not.
enum UsageRequest {
    private static let member = "stream_options"

    /// The body with `stream_options.include_usage`; `nil` when it is not a stream, or asks for the usage itself.
    static func body(of call: ProviderCall) -> [UInt8]? {
        let document = call.request.document
        guard call.request.operation == .chatCompletions, document["stream"]?.isTrue == true,
            document[member]?["include_usage"]?.isTrue != true
        else { return nil }
        let options = JSONValue.members(["include_usage": .bool(true)])
        guard document[member] == nil else {
            return Array(
                (call.adapted ?? document).replacing(member) { $0.adding(options) }.text.text.utf8)
        }
        // All else stays as the caller wrote it, byte for byte.
        let body = call.body
        guard let end = body.lastIndex(of: UInt8(ascii: "}")) else { return nil }
        return body[..<end] + Array(#","\#(member)":\#(options.text.text)"#.utf8) + body[end...]
    }

    /// A body without the request for the usage; `nil` when it has none.
    static func removed(from body: JSONValue) -> JSONValue? {
        guard case .object(let members) = body, members.contains(where: { $0.name == member }) else { return nil }
        return .object(members.filter { $0.name != member })
    }

    /// True when the body of a refusal names the request for the usage.
    static func isNamed(in body: [UInt8]) -> Bool { String(decoding: body, as: UTF8.self).contains(member) }
}

extension JSONValue {
    /// The object with the members of another in the place of its own; another value is replaced.
    fileprivate func adding(_ other: JSONValue) -> JSONValue {
        guard case .object(let members) = self, case .object(let added) = other else { return other }
        return .object(members.filter { member in !added.contains { $0.name == member.name } } + added)
    }
}

/// Takes the chunk that tells the usage out of a stream in OpenAI's format, for a caller that did not ask for it.
///
/// Holds the bytes of one event; a longer one than a stream may have passes as it comes.
package struct UsageChunkFilter {
    private var event: [UInt8] = []
    /// True while the current line has no bytes: the next line end ends the event.
    private var isLineEmpty = true
    private var isTooLong = false
    package private(set) var usage: TokenUsage?

    package init() {}

    /// The bytes that the caller gets, given the next ones.
    package mutating func read(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var passed: [UInt8] = []
        for byte in bytes {
            event.append(byte)
            switch byte {
            case UInt8(ascii: "\n"):
                if isLineEmpty { finishEvent(into: &passed) }
                isLineEmpty = true
            case UInt8(ascii: "\r"): break
            default: isLineEmpty = false
            }
            if event.count > StreamLimits.eventBytesMax { isTooLong = true }
            if isTooLong {
                passed += event
                event.removeAll(keepingCapacity: true)
            }
        }
        return passed
    }

    /// The bytes that are left at the end of the stream.
    package mutating func finish() -> [UInt8] {
        var passed: [UInt8] = []
        finishEvent(into: &passed)
        return passed
    }

    private mutating func finishEvent(into passed: inout [UInt8]) {
        if isTooLong || !isUsageAlone() { passed += event }
        event.removeAll(keepingCapacity: true)
        isTooLong = false
    }

    /// True for the chunk that has a usage and no choice; notes the usage.
    private mutating func isUsageAlone() -> Bool {
        guard JSONStrings.scan(event[...]).hasUsage else { return false }
        var events = ServerSentEvents(bytesMax: StreamLimits.eventBytesMax)
        guard let data = try? events.read(event + [UInt8(ascii: "\n")]).first,
            let chunk = try? JSONValue(parsing: data, .surrogates), let told = TokenUsage(chunk["usage"])
        else { return false }
        usage = told
        guard case .array(let choices)? = chunk["choices"] else { return false }
        return choices.isEmpty
    }
}
