import Domain

/// Tools, choices and limits in OpenAI's Responses format.
extension ChatRequest {
    mutating func readResponseTools(_ body: JSONValue) throws(UntranslatableRequest) {
        for (index, tool) in (body["tools"]?.elements ?? []).enumerated() {
            guard tool["type"]?.string == "function" else {
                throw Self.unknownTool(tool["type"]?.string, "tools[\(index)]")
            }
            guard let name = tool["name"]?.string else {
                throw UntranslatableRequest("tools[\(index)].name is required")
            }
            tools.append(
                Tool(
                    name: name, description: tool["description"]?.string,
                    parameters: tool["parameters"]?.present
                        ?? .members(["type": .string("object"), "properties": .object([])]),
                    isStrict: tool["strict"]?.boolean))
        }
        allowsParallelCalls = body["parallel_tool_calls"]?.boolean
        guard let choice = body["tool_choice"]?.present else { return }
        toolChoice = try readChoice(choice)
    }

    /// Tools that the caller runs itself, as functions, under types of their own.
    private static let localTools: Set<String> = ["custom", "local_shell", "shell", "apply_patch"]

    /// The refusal of a tool that is no function.
    private static func unknownTool(_ type: String?, _ place: String) -> UntranslatableRequest {
        guard let type else { return UntranslatableRequest("\(place).type must be \"function\"") }
        let advice =
            localTools.contains(type)
            ? "this model's provider knows functions alone: send a function with the tool's input as its parameters"
            : "this model's provider hosts no tools: send a function that your agent runs, or ask a model of a provider "
                + "that serves responses itself"
        return UntranslatableRequest("\(place).type \"\(type.excerpt)\" cannot be used: \(advice)")
    }

    private mutating func readChoice(_ choice: JSONValue) throws(UntranslatableRequest) -> ToolChoice {
        switch choice.string ?? choice["type"]?.string {
        case "auto": return .auto
        case "none": return .none
        case "required": return .required
        case "function":
            guard let name = choice["name"]?.string else { throw UntranslatableRequest("tool_choice.name is required") }
            return .function(name)
        case "allowed_tools":
            let names = try Self.allowed(choice["tools"]?.elements ?? [])
            tools.removeAll { !names.contains($0.name) }
            return choice["mode"]?.string == "required" ? .required : .auto
        case let type? where choice.string == nil: throw Self.unknownTool(type, "tool_choice")
        default:
            throw UntranslatableRequest(
                "tool_choice must be auto, none, required, allowed_tools or a function with a name for this model's "
                    + "provider")
        }
    }

    private static func allowed(_ tools: [JSONValue]) throws(UntranslatableRequest) -> [String] {
        var names: [String] = []
        for (index, tool) in tools.enumerated() {
            guard tool["type"]?.string == "function" else {
                throw unknownTool(tool["type"]?.string, "tool_choice.tools[\(index)]")
            }
            guard let name = tool["name"]?.string else {
                throw UntranslatableRequest("tool_choice.tools[\(index)].name is required")
            }
            names.append(name)
        }
        return names
    }

    mutating func readResponseSampling(_ body: JSONValue) throws(UntranslatableRequest) {
        if let tokens = body["max_output_tokens"]?.present {
            guard let number = tokens.unsigned, number > 0 else {
                throw UntranslatableRequest("max_output_tokens must be a whole number above 0")
            }
            tokensMax = number
        }
        temperature = try Self.number("temperature", body)
        topP = try Self.number("top_p", body)
        user = body["safety_identifier"]?.string ?? body["user"]?.string
        reasoningEffort = body["reasoning"]?["effort"]?.string
        guard let format = body["text"]?["format"]?.present else { return }
        switch format["type"]?.string {
        case "text": break
        case "json_object": answerFormat = .json
        case "json_schema":
            guard let schema = format["schema"]?.present else {
                throw UntranslatableRequest("text.format.schema is required")
            }
            answerFormat = .schema(
                AnswerSchema(schema, name: format["name"]?.string, isStrict: format["strict"]?.boolean))
        default: throw UntranslatableRequest("text.format.type must be text, json_object or json_schema")
        }
    }
}
