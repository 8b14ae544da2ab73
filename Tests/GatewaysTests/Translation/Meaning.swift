import Domain
import Gateways

/// The meaning of a conversation, read out of a request in any format: two requests with the same meaning tell a model
/// the same.
struct Meaning: Equatable {
    enum Item: Hashable {
        case system(String)
        case text(String, by: String)
        case image(String, by: String)
        /// Calls are numbered in the order of their turns.
        case call(Int, String, JSONValue)
        case result(of: String, String, images: [String], isError: Bool)
    }

    private(set) var items: [Item] = []
    private var numbers: [String: Int] = [:]
    private var callCount = 0

    /// Ids may differ, because receivers accept different ones: calls are compared by their numbers.
    static func == (one: Meaning, other: Meaning) -> Bool { one.items == other.items }

    mutating func system(_ text: String) { if !text.isEmpty { items.append(.system(text)) } }

    /// Adds a text; texts that follow one another are one.
    mutating func text(_ text: String, by role: String) {
        guard !text.isEmpty else { return }
        if case .text(let before, let last)? = items.last, last == role {
            items[items.count - 1] = .text(before + text, by: role)
        } else {
            items.append(.text(text, by: role))
        }
    }

    mutating func image(_ image: String, by role: String) { items.append(.image(image, by: role)) }

    mutating func call(_ id: String, _ name: String, _ arguments: JSONValue) {
        numbers[id] = callCount
        items.append(.call(callCount, name, arguments))
        callCount += 1
    }

    /// - Parameter name: The tool, in formats whose results name it instead of the call.
    mutating func result(_ id: String?, name: String?, _ text: String, _ images: [String], isError: Bool) {
        let call = id.map { numbers[$0].map(String.init) ?? "no call \($0)" } ?? name ?? "nothing"
        items.append(.result(of: call, text, images: images, isError: isError))
    }

    /// A result of a format that says a failure in the text.
    mutating func statedResult(_ id: String?, name: String?, _ text: String, _ images: [String]) {
        let prefix = "Error: "
        let isError = text.hasPrefix(prefix)
        result(id, name: name, isError ? String(text.dropFirst(prefix.count)) : text, images, isError: isError)
    }

    /// Instructions before all turns, as formats have them that have no other place for them.
    var withLeadingSystem: Meaning {
        var meaning = Meaning()
        let texts = items.compactMap { if case .system(let text) = $0 { text } else { nil } }
        meaning.system(texts.joined(separator: "\n\n"))
        for item in items {
            switch item {
            case .system: break
            case .text(let text, let role): meaning.text(text, by: role)
            case .image, .call, .result: meaning.items.append(item)
            }
        }
        return meaning
    }

    static func image(_ image: ChatRequest.Image) -> String {
        switch image {
        case .url(let url): url
        case .data(let mediaType, let base64): "data:\(mediaType);base64,\(base64)"
        }
    }
}

extension Conversation {
    /// - Parameters:
    ///   - namesTools: True when results name the tool instead of the call.
    ///   - separatesImages: True when a message is one text beside its images.
    func meaning(namesTools: Bool = false, separatesImages: Bool = false) -> Meaning {
        var meaning = Meaning()
        for turn in turns {
            switch turn {
            case .system(let text): meaning.system(text)
            case .user(let parts):
                let ordered = separatesImages ? parts.filter(\.isText) + parts.filter { !$0.isText } : parts
                for part in ordered {
                    switch part {
                    case .text(let text): meaning.text(text, by: "user")
                    case .image(let image): meaning.image(Meaning.image(image), by: "user")
                    }
                }
            case .assistant(let text, let calls):
                meaning.text(text, by: "assistant")
                for call in calls { meaning.call(call.id, call.name, call.arguments) }
            case .results(let results):
                for result in results {
                    meaning.result(
                        namesTools ? nil : result.call.id, name: result.call.name,
                        result.parts.compactMap(\.plain).joined(), result.parts.compactMap(\.picture),
                        isError: result.isError)
                }
            }
        }
        return meaning
    }
}

extension ChatRequest.Part {
    fileprivate var isText: Bool { plain != nil }

    fileprivate var plain: String? { if case .text(let text) = self { text } else { nil } }

    fileprivate var picture: String? { if case .image(let image) = self { Meaning.image(image) } else { nil } }
}
