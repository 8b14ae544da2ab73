import Domain
import Gateways

/// The inverse of each provider's format, written after the providers' documentation.
extension Meaning {
    init(openAI body: JSONValue) throws {
        self.init()
        for message in elements(body["messages"]) {
            let role = message["role"]?.string ?? ""
            let (text, images) = Self.openAIContent(message["content"])
            switch role {
            case "system": system(text)
            case "tool": statedResult(message["tool_call_id"]?.string, name: nil, text, images)
            default:
                if let content = message["content"]?.string { self.text(content, by: role) }
                for part in elements(message["content"]) {
                    if let text = part["text"]?.string { self.text(text, by: role) }
                    if let url = part["image_url"]?["url"]?.string { image(url, by: role) }
                }
                for toolCall in elements(message["tool_calls"]) {
                    let arguments = toolCall["function"]?["arguments"]?.string ?? ""
                    call(
                        toolCall["id"]?.string ?? "", toolCall["function"]?["name"]?.string ?? "",
                        try JSONValue(parsing: Array(arguments.utf8)))
                }
            }
        }
    }

    private static func openAIContent(_ content: JSONValue?) -> (text: String, images: [String]) {
        if let text = content?.string { return (text, []) }
        return (
            elements(content).compactMap { $0["text"]?.string }.joined(),
            elements(content).compactMap { $0["image_url"]?["url"]?.string }
        )
    }

    init(anthropic body: JSONValue) {
        self.init()
        system(body["system"]?.string ?? "")
        for message in elements(body["messages"]) {
            let role = message["role"]?.string ?? ""
            for block in elements(message["content"]) {
                switch block["type"]?.string {
                case "text": text(block["text"]?.string ?? "", by: role)
                case "image": image(Self.anthropicImage(block), by: role)
                case "tool_use":
                    call(block["id"]?.string ?? "", block["name"]?.string ?? "", block["input"] ?? .null)
                case "tool_result":
                    let content = elements(block["content"])
                    result(
                        block["tool_use_id"]?.string, name: nil, content.compactMap { $0["text"]?.string }.joined(),
                        content.filter { $0["type"]?.string == "image" }.map(Self.anthropicImage),
                        isError: block["is_error"] == .bool(true))
                default: system("an unknown block: \(block.text.text)")
                }
            }
        }
    }

    private static func anthropicImage(_ block: JSONValue) -> String {
        let source = block["source"]
        return source?["url"]?.string
            ?? "data:\(source?["media_type"]?.string ?? "");base64,\(source?["data"]?.string ?? "")"
    }

    init(bedrock body: JSONValue) {
        self.init()
        system(elements(body["system"]).compactMap { $0["text"]?.string }.joined(separator: "\n\n"))
        for message in elements(body["messages"]) {
            let role = message["role"]?.string ?? ""
            for block in elements(message["content"]) {
                if let text = block["text"]?.string { self.text(text, by: role) }
                if let image = Self.bedrockImage(block) { self.image(image, by: role) }
                if let use = block["toolUse"] {
                    call(use["toolUseId"]?.string ?? "", use["name"]?.string ?? "", use["input"] ?? .null)
                }
                guard let toolResult = block["toolResult"] else { continue }
                let content = elements(toolResult["content"])
                result(
                    toolResult["toolUseId"]?.string, name: nil, content.compactMap { $0["text"]?.string }.joined(),
                    content.compactMap(Self.bedrockImage), isError: toolResult["status"]?.string == "error")
            }
        }
    }

    private static func bedrockImage(_ block: JSONValue) -> String? {
        guard let image = block["image"] else { return nil }
        return "data:image/\(image["format"]?.string ?? "");base64,\(image["source"]?["bytes"]?.string ?? "")"
    }

    /// Images there have no type: those of the conversations here are PNG.
    init(ollama body: JSONValue) {
        self.init()
        for message in elements(body["messages"]) {
            let role = message["role"]?.string ?? ""
            let text = message["content"]?.string ?? ""
            let images = elements(message["images"]).map { "data:image/png;base64,\($0.string ?? "")" }
            switch role {
            case "system": system(text)
            case "tool": statedResult(nil, name: message["tool_name"]?.string, text, images)
            default:
                self.text(text, by: role)
                for image in images { self.image(image, by: role) }
                for toolCall in elements(message["tool_calls"]) {
                    call(
                        "", toolCall["function"]?["name"]?.string ?? "", toolCall["function"]?["arguments"] ?? .null)
                }
            }
        }
    }

    init(gemini body: JSONValue) {
        self.init()
        let instructions = elements(body["systemInstruction"]?["parts"])
        system(instructions.compactMap { $0["text"]?.string }.joined(separator: "\n\n"))
        for content in elements(body["contents"]) {
            let role = content["role"]?.string == "model" ? "assistant" : "user"
            for part in elements(content["parts"]) {
                if let text = part["text"]?.string { self.text(text, by: role) }
                if let image = Self.geminiImage(part) { self.image(image, by: role) }
                if let use = part["functionCall"] {
                    call(use["id"]?.string ?? "", use["name"]?.string ?? "", use["args"] ?? .null)
                }
                guard let response = part["functionResponse"] else { continue }
                result(
                    response["id"]?.string, name: nil,
                    (response["response"]?["output"] ?? response["response"]?["error"])?.string ?? "",
                    elements(response["parts"]).compactMap(Self.geminiImage),
                    isError: response["response"]?["error"] != nil)
            }
        }
    }

    private static func geminiImage(_ part: JSONValue) -> String? {
        if let url = part["fileData"]?["fileUri"]?.string { return url }
        guard let data = part["inlineData"] else { return nil }
        return "data:\(data["mimeType"]?.string ?? "");base64,\(data["data"]?.string ?? "")"
    }
}
