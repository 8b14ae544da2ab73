import Domain
import Gateways
import Testing

/// The answer that a caller's SDK accumulates from a stream or reads from a document.
struct CallerReading: Hashable {
    var text = ""
    var calls: [ChatToolCall] = []
    var finish: String?
    private var arguments: [String] = []

    /// OpenAI's chat completions.
    init(openAI bytes: [UInt8]) throws {
        var events = ServerSentEvents(bytesMax: 1 << 20)
        let documents = try events.read(bytes)
        #expect(documents.last == Array("[DONE]".utf8))
        for data in documents.dropLast() {
            let choice = try #require(elements(JSONValue(parsing: data)["choices"]).first)
            text += choice["delta"]?["content"]?.string ?? ""
            for fragment in elements(choice["delta"]?["tool_calls"]) {
                guard case .number(let index)? = fragment["index"], let number = Int(index) else {
                    throw BrokenStream("a call without an index")
                }
                if let id = fragment["id"]?.string {
                    #expect(number == calls.count, "calls begin in order")
                    try begin(id, fragment["function"]?["name"])
                }
                arguments[number] += fragment["function"]?["arguments"]?.string ?? ""
            }
            finish = choice["finish_reason"]?.string ?? finish
        }
        try end()
    }

    /// Anthropic's messages; a part of a block that is not open is an error of the SDK's.
    init(anthropic bytes: [UInt8]) throws {
        var events = ServerSentEvents(bytesMax: 1 << 20)
        var open: (index: JSONValue?, isCall: Bool)?
        for data in try events.read(bytes) {
            let event = try JSONValue(parsing: data)
            switch event["type"]?.string {
            case "content_block_start":
                #expect(open == nil)
                let block = event["content_block"]
                open = (event["index"], block?["type"]?.string == "tool_use")
                if open?.isCall == true { try begin(block?["id"]?.string, block?["name"]) }
            case "content_block_delta":
                #expect(open?.index == event["index"])
                text += event["delta"]?["text"]?.string ?? ""
                if let piece = event["delta"]?["partial_json"]?.string {
                    #expect(open?.isCall == true)
                    arguments[arguments.count - 1] += piece
                }
            case "content_block_stop":
                #expect(open?.index == event["index"])
                open = nil
            case "message_delta": finish = event["delta"]?["stop_reason"]?.string
            default: break
            }
        }
        #expect(open == nil)
        try end()
    }

    /// OpenAI's Responses, whose last event repeats all that the events before said.
    init(responses bytes: [UInt8]) throws {
        var events = ServerSentEvents(bytesMax: 1 << 20)
        var (said, written, last) = ("", [String](), JSONValue.null)
        for data in try events.read(bytes) {
            last = try JSONValue(parsing: data)
            switch last["type"]?.string {
            case "response.output_text.delta": said += last["delta"]?.string ?? ""
            case "response.output_item.added":
                if last["item"]?["type"]?.string == "function_call" { written.append("") }
            case "response.function_call_arguments.delta": written[written.count - 1] += last["delta"]?.string ?? ""
            default: break
            }
        }
        try self.init(responseDocument: #require(last["response"]))
        #expect(said == text)
        #expect(written.map { $0.isEmpty ? "{}" : $0 } == calls.map(\.arguments.text.text))
    }

    init(responseDocument document: JSONValue) throws {
        finish = document["incomplete_details"]?["reason"]?.string ?? document["status"]?.string
        for item in elements(document["output"]) {
            text += elements(item["content"]).compactMap { $0["text"]?.string }.joined()
            guard item["type"]?.string == "function_call" else { continue }
            try begin(item["call_id"]?.string, item["name"])
            arguments[arguments.count - 1] = item["arguments"]?.string ?? ""
        }
        try end()
    }

    init(openAIDocument document: JSONValue) throws {
        let choice = try #require(elements(document["choices"]).first)
        text = choice["message"]?["content"]?.string ?? ""
        finish = choice["finish_reason"]?.string
        for call in elements(choice["message"]?["tool_calls"]) {
            try begin(call["id"]?.string, call["function"]?["name"])
            arguments[arguments.count - 1] = call["function"]?["arguments"]?.string ?? ""
        }
        try end()
    }

    init(anthropicDocument document: JSONValue) throws {
        finish = document["stop_reason"]?.string
        for block in elements(document["content"]) {
            text += block["text"]?.string ?? ""
            guard block["type"]?.string == "tool_use" else { continue }
            try begin(block["id"]?.string, block["name"])
            arguments[arguments.count - 1] = block["input"]?.text.text ?? ""
        }
        try end()
    }

    private mutating func begin(_ id: String?, _ name: JSONValue?) throws {
        calls.append(ChatToolCall(id: try #require(id), name: try #require(name?.string), arguments: .null))
        arguments.append("")
    }

    /// An SDK of Anthropic's reads no arguments at all as an empty object.
    private mutating func end() throws {
        for (number, text) in arguments.enumerated() {
            calls[number].arguments = try JSONValue(parsing: Array((text.isEmpty ? "{}" : text).utf8))
        }
        arguments = []
    }
}
