import Domain

/// The turns of a request in Gemini's format (ai.google.dev/gemini-api/docs/function-calling, /thought-signatures).
///
/// Results of parallel calls are one turn, which follows that of the calls.
struct GeminiContents {
    /// Stands for the signature of a call that another model made, as Google documents it.
    private static let anySignature = "skip_thought_signature_validator"

    private let isCurrent: Bool
    private var turns = ChatTurns(contentName: "parts")
    /// The function of each call: results name it.
    private var names: [String: String] = [:]

    var documents: [JSONValue] { turns.documents }

    init(_ request: ChatRequest) throws(UntranslatableRequest) {
        isCurrent = GeminiFormat.isCurrent(request.model)
        for message in request.messages {
            switch message {
            case .system: break  // Among the leading ones.
            case .user(let parts): try turns.addUser(parts.compactMap(Self.part))
            case .assistant(let text, let calls):
                turns.add("model", [Self.part(.text(text))].compactMap(\.self) + parts(of: calls))
            case .tool(let id, let content, let isError): turns.add("user", try result(of: id, content, isError))
            }
        }
    }

    /// `nil` for an empty text, which the provider refuses.
    private static func part(_ part: ChatRequest.Part) -> JSONValue? {
        switch part {
        case .text(let text): text.isEmpty ? nil : .members(["text": .string(text)])
        case .image(.data(let mediaType, let base64)):
            .members(["inlineData": .members(["mimeType": .string(mediaType), "data": .string(base64)])])
        case .image(.url(let url)):
            .members([
                "fileData": .members(["mimeType": mediaType(of: url).map { .string($0) }, "fileUri": .string(url)])
            ])
        }
    }

    /// The type that the end of the URL's path names.
    private static func mediaType(of url: String) -> String? {
        let path = url.prefix { $0 != "?" && $0 != "#" }.lowercased()
        let types = [
            ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp",
            ".heic": "image/heic", ".heif": "image/heif", ".gif": "image/gif",
        ]
        return types.first { path.hasSuffix($0.key) }?.value
    }

    /// Of parallel calls the first is signed; a signature is required for the calls of current models.
    private mutating func parts(of calls: [ChatToolCall]) -> [JSONValue] {
        calls.enumerated().map { index, call in
            let (id, signature) = CallSignature.split(call.id)
            names[id] = call.name
            let required = index == 0 && isCurrent ? Self.anySignature : nil
            return .members([
                "functionCall": .members([
                    "id": .string(AcceptedID.of(call: id)), "name": .string(call.name), "args": call.arguments,
                ]),
                "thoughtSignature": (signature ?? required).map { .string($0) },
            ])
        }
    }

    private func result(
        of signedID: String, _ content: [ChatRequest.Part], _ isError: Bool
    ) throws(UntranslatableRequest) -> [JSONValue] {
        let id = CallSignature.split(signedID).id
        guard let name = names[id] else {
            throw UntranslatableRequest("no call before has the id \"\(id.excerpt)\" of a tool's result")
        }
        var (text, images) = ("", [JSONValue]())
        for part in content {
            if case .text(let more) = part { text += more } else { images += [Self.part(part)].compactMap(\.self) }
        }
        let isWithin = isCurrent && !images.isEmpty
        let response = JSONValue.members([
            "id": .string(AcceptedID.of(call: id)), "name": .string(name),
            "response": .members([isError ? "error" : "output": .string(text)]),
            "parts": isWithin ? .array(images) : nil,
        ])
        return [.members(["functionResponse": response])] + (isWithin ? [] : images)
    }
}
