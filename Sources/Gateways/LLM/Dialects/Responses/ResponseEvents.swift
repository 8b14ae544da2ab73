package import Domain

/// Writes an answer's parts as the events of a stream in OpenAI's Responses format
/// (platform.openai.com/docs/api-reference/responses-streaming).
///
/// Holds the texts and arguments of the answer, because its last events repeat them; the gateway bounds their length.
package struct ResponseEvents: ChatStreamWriter {
    private enum Open {
        case message(id: String)
        case call(id: String, callID: String, name: String)
    }

    private let identity: CompletionIdentity
    private let echo: ResponseEcho
    private var sequence = 0
    private var isBegun = false
    /// The item that is being written; its index is the number of those that are done.
    private var open: Open?
    /// The text of that item, or its arguments.
    private var written = ""
    private var callNumber: Int?
    private var output: [JSONValue] = []
    private var finish: FinishReason?
    private var order = SequentialDeltas()
    private(set) package var usage: TokenUsage?

    package init(_ identity: CompletionIdentity, _ echo: ResponseEcho) {
        self.identity = identity
        self.echo = echo
    }

    package mutating func write(_ delta: ChatDelta, to bytes: inout [UInt8]) {
        for delta in order.read(delta) { writeNext(delta, to: &bytes) }
    }

    private mutating func writeNext(_ delta: ChatDelta, to bytes: inout [UInt8]) {
        begin(to: &bytes)
        switch delta {
        case .text(let text): add(text, to: &bytes)
        case .callBegun(let number, let id, let name):
            callNumber = number
            beginCall(AcceptedID.of(call: id), name, to: &bytes)
        case .callArguments(let number, let text):
            if number == callNumber { add(arguments: text, to: &bytes) }
        case .finish(let reason): finish = reason
        case .usage(let usage): self.usage = usage
        }
    }

    package mutating func end(to bytes: inout [UInt8]) {
        for delta in order.finish() { writeNext(delta, to: &bytes) }
        begin(to: &bytes)
        let state = ResponseState(finish ?? .stop)
        if open == nil, output.isEmpty { beginMessage(to: &bytes) }
        closeItem(state, to: &bytes)
        response("response.\(state.status)", state, to: &bytes)
    }

    /// A comment of server-sent events, after the events that begin a response.
    package mutating func ping(to bytes: inout [UInt8]) {
        begin(to: &bytes)
        bytes += ": ping\n\n".utf8
    }

    /// Appends the error as OpenAI's SDKs raise it, and the end as clients of the events look for it.
    package func fail(_ message: String, to bytes: inout [UInt8]) {
        var ending = self
        ending.begin(to: &bytes)
        let error = JSONValue.members([
            "type": .string("server_error"), "code": .string("server_error"), "message": .string(message),
            "param": .null,
        ])
        ending.event(
            "error",
            ["code": .string("server_error"), "message": .string(message), "param": .null, "error": error], to: &bytes)
        ending.response("response.failed", .failed(message), to: &bytes)
    }

    private mutating func begin(to bytes: inout [UInt8]) {
        guard !isBegun else { return }
        isBegun = true
        response("response.created", .inProgress, to: &bytes)
        response("response.in_progress", .inProgress, to: &bytes)
    }

    private mutating func beginMessage(to bytes: inout [UInt8]) {
        let id = ResponseItem.id("msg", output.count, of: identity)
        open = .message(id: id)
        written = ""
        item("response.output_item.added", ResponseItem.message(id, "in_progress", []), to: &bytes)
        content("response.content_part.added", id, ["part": ResponseItem.text("")], to: &bytes)
    }

    private mutating func add(_ text: String, to bytes: inout [UInt8]) {
        if case .message? = open {
        } else {
            closeItem(.completed, to: &bytes)
            beginMessage(to: &bytes)
        }
        guard case .message(let id)? = open else { return }
        written += text
        content(
            "response.output_text.delta", id, ["delta": .string(text), "logprobs": .array([])], to: &bytes)
    }

    private mutating func beginCall(_ callID: String, _ name: String, to bytes: inout [UInt8]) {
        closeItem(.completed, to: &bytes)
        let id = ResponseItem.id("fc", output.count, of: identity)
        open = .call(id: id, callID: callID, name: name)
        written = ""
        item(
            "response.output_item.added",
            ResponseItem.call(id, "in_progress", callID: callID, name: name, arguments: ""), to: &bytes)
    }

    private mutating func add(arguments text: String, to bytes: inout [UInt8]) {
        guard case .call(let id, _, _)? = open else { return }
        written += text
        event(
            "response.function_call_arguments.delta",
            ["item_id": .string(id), "output_index": .number(String(output.count)), "delta": .string(text)], to: &bytes)
    }

    private mutating func closeItem(_ state: ResponseState, to bytes: inout [UInt8]) {
        // Arguments are JSON, and nothing is not.
        if case .call? = open, written.isEmpty { add(arguments: "{}", to: &bytes) }
        let done: JSONValue
        switch open {
        case nil: return
        case .message(let id)?:
            content("response.output_text.done", id, ["text": .string(written), "logprobs": .array([])], to: &bytes)
            content("response.content_part.done", id, ["part": ResponseItem.text(written)], to: &bytes)
            done = ResponseItem.message(id, state.status, [ResponseItem.text(written)])
        case .call(let id, let callID, let name)?:
            event(
                "response.function_call_arguments.done",
                [
                    "item_id": .string(id), "output_index": .number(String(output.count)), "name": .string(name),
                    "arguments": .string(written),
                ], to: &bytes)
            var progress = JSONProgress()
            progress.read(written)
            done = ResponseItem.call(
                id, progress.isComplete ? "completed" : "incomplete", callID: callID, name: name, arguments: written)
        }
        item("response.output_item.done", done, to: &bytes)
        output.append(done)
        open = nil
    }

    private mutating func content(
        _ type: String, _ id: String, _ members: KeyValuePairs<String, JSONValue>, to bytes: inout [UInt8]
    ) {
        let place: KeyValuePairs<String, JSONValue> = [
            "item_id": .string(id), "output_index": .number(String(output.count)), "content_index": .number("0"),
        ]
        event(type, Array(place) + Array(members), to: &bytes)
    }

    private mutating func item(_ type: String, _ item: JSONValue, to bytes: inout [UInt8]) {
        event(type, ["output_index": .number(String(output.count)), "item": item], to: &bytes)
    }

    private mutating func response(_ type: String, _ state: ResponseState, to bytes: inout [UInt8]) {
        let used = state == .inProgress ? nil : usage ?? TokenUsage(prompt: 0, completion: 0)
        event(type, ["response": echo.document(identity, state, output: output, usage: used)], to: &bytes)
    }

    private mutating func event(
        _ type: String, _ members: KeyValuePairs<String, JSONValue>, to bytes: inout [UInt8]
    ) {
        event(type, Array(members), to: &bytes)
    }

    private mutating func event(
        _ type: String, _ members: [(key: String, value: JSONValue)], to bytes: inout [UInt8]
    ) {
        let head = [("type", JSONValue.string(type)), ("sequence_number", .number(String(sequence)))]
        let document = JSONValue.object((head + members).map { .init(name: $0, value: $1) })
        sequence += 1
        bytes += "event: \(type)\ndata: \(document.text.text)\n\n".utf8
    }
}
