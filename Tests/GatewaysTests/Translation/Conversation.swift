import Domain
import Gateways
import TestSupport

/// A random conversation, in no format's words: what translations have to keep.
struct Conversation {
    enum Turn: Hashable {
        case system(String)
        case user([ChatRequest.Part])
        case assistant(String, [ChatToolCall])
        /// The results of the calls of the turn before.
        case results([Result])
    }

    struct Result: Hashable {
        let call: ChatToolCall
        let parts: [ChatRequest.Part]
        let isError: Bool
    }

    /// Parts of conversations that some format has no words for.
    struct Features {
        var hasImageURLs = true
        var hasImagesInResults = true
        var hasErrors = true
        var hasResultsInAnyOrder = true
    }

    var turns: [Turn] = []
    let tools: [ChatRequest.Tool]

    init(_ features: Features, _ random: inout SeededRandom) {
        tools = (0..<3).map { number in
            ChatRequest.Tool(
                name: "tool_\(number)", description: "Does \(number).",
                parameters: .object([
                    .init(name: "type", value: .string("object")),
                    .init(
                        name: "properties",
                        value: .object([.init(name: "x\(number)", value: .object([]))])),
                ]))
        }
        if random.chance(60) { turns.append(.system(Self.text(&random))) }
        var callCount = 0
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            turns.append(.user(Self.parts(features.hasImageURLs, &random)))
            if random.chance(30) { turns.append(.system(Self.text(&random))) }
            let calls = (0..<Int.random(in: 0...3, using: &random)).map { _ in
                callCount += 1
                return call(callCount, &random)
            }
            let said = calls.isEmpty || random.chance(50) ? Self.text(&random) : ""
            turns.append(.assistant(said, calls))
            guard !calls.isEmpty else { continue }
            let results = calls.map { call in
                var parts: [ChatRequest.Part] = [.text(Self.text(&random))]
                if features.hasImagesInResults, random.chance(20) { parts.append(Self.image) }
                return Result(call: call, parts: parts, isError: features.hasErrors && random.chance(20))
            }
            turns.append(.results(features.hasResultsInAnyOrder ? results.shuffled(using: &random) : results))
            if random.chance(50) { turns.append(.assistant(Self.text(&random), [])) }
        }
        turns.append(.user(Self.parts(false, &random)))
    }

    /// The calls of all turns.
    var calls: [ChatToolCall] {
        turns.flatMap { turn -> [ChatToolCall] in
            if case .assistant(_, let calls) = turn { calls } else { [] }
        }
    }

    private func call(_ number: Int, _ random: inout SeededRandom) -> ChatToolCall {
        let ids = [
            "call_\(number)", "functions.help:\(number)", "\(number)|fc",
            "\(number)" + String(repeating: "x", count: 64),
        ]
        return ChatToolCall(
            id: random.pick(ids), name: random.pick(tools).name,
            arguments: .object([
                .init(name: Self.text(&random), value: .array([.number("1.50"), .string(Self.text(&random)), .null]))
            ]))
    }

    static let image = ChatRequest.Part.image(.data(mediaType: "image/png", base64: "iVBORw0KGgo="))

    private static func parts(_ hasURLs: Bool, _ random: inout SeededRandom) -> [ChatRequest.Part] {
        var parts: [ChatRequest.Part] = [.text(text(&random))]
        if random.chance(30) { parts.append(image) }
        if hasURLs, random.chance(30) { parts.append(.image(.url("https://images.test/a.png"))) }
        if random.chance(50) { parts.append(.text(text(&random))) }
        return parts
    }

    static func text(_ random: inout SeededRandom) -> String {
        random.pick(["ja", "å \"quote\"", "line\nbreak", "\u{1F600}", "{}", "</x>", "a\\u0000", "data: x\n\nevent: y"])
    }
}

/// An object with those members, in order.
func object(_ members: KeyValuePairs<String, JSONValue>) -> JSONValue {
    .object(members.map { .init(name: $0, value: $1) })
}

/// The elements of an array; none of another value.
func elements(_ value: JSONValue?) -> [JSONValue] {
    if case .array(let values)? = value { values } else { [] }
}
