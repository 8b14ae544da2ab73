import Domain

/// Reads what a provider says of a call that it refuses, in whichever form its service or a proxy before it wrote that.
package enum ProviderWords {
    fileprivate static let charactersMax = 2_000

    /// The message in the body of an error; `nil` when the body is empty.
    package static func message(in body: [UInt8]) -> String? {
        if let document = try? JSONValue(parsing: body, .surrogates) {
            guard ![.null, .object([]), .array([])].contains(document) else { return nil }
            return message(in: document) ?? document.text.text.cut
        }
        return withoutMarkup(String(decoding: body, as: UTF8.self)).cut
    }

    /// The error that an event of a stream reports in the place of a part of the answer; `nil` for a part.
    static func error(inEvent event: JSONValue) -> String? {
        if let error = event["error"]?.present, error != .string("") { return message(in: event) ?? error.text.text }
        // A failed response of OpenAI's.
        if let response = event["response"], let error = response["error"]?.present {
            return message(in: response) ?? error.text.text
        }
        let isNamedError = [event["object"]?.string, event["type"]?.string].contains("error")
        guard isNamedError || (event["choices"] ?? event["usage"] ?? event["type"]) == nil else { return nil }
        return message(in: event)
    }

    /// The reason why a document with success for its status cannot be read: the error that it reports, if it does.
    static func unreadable(_ document: JSONValue, _ answer: UnreadableAnswer) -> UnreadableAnswer {
        guard error(inEvent: document) != nil else { return answer }
        return UnreadableAnswer(
            "the provider reports an error: \(message(in: document) ?? document.text.text)", usage: answer.usage)
    }

    private static func message(in document: JSONValue) -> String? {
        // Google wraps errors in an array.
        if case .array(let values) = document { return values.first.flatMap(message(in:)) }
        let error = document["error"]?.present
        let texts = [
            error?["message"], error, document["message"], document["Message"], document["detail"],
            document["errors"]?.elements.first?["message"], error?["detail"],
        ]
        if let text = texts.lazy.compactMap({ $0?.string?.cut }).first { return text }
        let details = (document["detail"]?.elements ?? []).compactMap { $0["msg"]?.string ?? $0["message"]?.string }
        return details.isEmpty ? nil : details.joined(separator: "; ").cut
    }

    /// The text of a page in HTML, without scripts and styles; any other text as it is.
    private static func withoutMarkup(_ text: String) -> String {
        let opening = text.drop(while: \.isWhitespace).prefix(9).lowercased()
        guard opening.hasPrefix("<html") || opening.hasPrefix("<!doctype") || opening.hasPrefix("<head") else {
            return text
        }
        var (plain, hidden): ([Substring], Substring?) = ([], nil)
        for part in text.split(separator: "<", omittingEmptySubsequences: true) {
            let tag = part.prefix { $0.isLetter || $0 == "/" }
            if let open = hidden {
                if tag.lowercased() == "/" + open { hidden = nil } else { continue }
            } else if ["script", "style"].contains(tag.lowercased()) {
                hidden = Substring(tag.lowercased())
                continue
            }
            if let end = part.firstIndex(of: ">") { plain.append(part[part.index(after: end)...]) }
        }
        return plain.joined(separator: " ").split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}

extension String {
    /// The text without white space around it, of bounded length; `nil` when nothing is left.
    fileprivate var cut: String? {
        let text = withoutTrailingSpace.drop(while: \.isWhitespace)
        return text.isEmpty ? nil : String(text.prefix(ProviderWords.charactersMax))
    }
}
