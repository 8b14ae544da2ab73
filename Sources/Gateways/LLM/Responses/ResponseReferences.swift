package import Domain

/// A request whose references are resolved.
package struct ResolvedReferences: Hashable, Sendable {
    /// The body as the provider can take it; `nil` when it can stay as it came.
    package var body: JSONValue?
    /// The turns that the provider keeps, to which the body still refers.
    package var earlier = EarlierTurns()
}

/// Resolves what a request in OpenAI's Responses format refers to: an earlier response, and items of such.
///
/// Content that is kept here takes the place of its reference. A reference to content that a provider keeps goes to that
/// provider, and only for the owner of the response: with the workspace's credentials a provider would give it to any.
package struct ResponseReferences: Sendable {
    let responses: StoredResponses
    let owner: ResponseOwner

    package init(_ responses: StoredResponses, of owner: ResponseOwner) {
        self.responses = responses
        self.owner = owner
    }

    private static let advice = "send the whole input instead"
    /// Maximum bytes of the content that takes the place of references.
    private static let contentBytesMax = 8 * 1024 * 1024

    /// The request as the provider can take it.
    ///
    /// - Parameter keeps: True when the provider keeps responses itself, and gets references to its own.
    package func resolved(
        _ body: JSONValue, for provider: String, keeps: Bool
    ) throws(UntranslatableRequest) -> ResolvedReferences {
        if body["background"]?.isTrue == true {
            throw UntranslatableRequest("background responses cannot be read here: leave background out")
        }
        if body["conversation"]?.present != nil {
            throw UntranslatableRequest("conversation is not kept here: \(Self.advice)")
        }
        var items = Self.items(of: body["input"])
        var bytes = 0
        var references = ResolvedReferences()
        let isReferring = try resolveItems(&items, for: provider, keeps: keeps, &bytes, &references.earlier)
        if isReferring { references.body = Self.body(body, items, keepsPrevious: true) }
        guard let previous = body["previous_response_id"]?.present else { return references }
        guard let id = previous.string else { throw UntranslatableRequest("previous_response_id must be a string") }
        guard let stored = responses.response(id, of: owner) else {
            throw UntranslatableRequest("previous_response_id \"\(id.excerpt)\" is not kept here: \(Self.advice)")
        }
        if let keeper = stored.provider {
            guard keeps, keeper == provider else { throw Self.elsewhere("previous_response_id", keeper) }
            references.earlier = references.earlier + stored.turns
            return references
        }
        try Self.count(stored.items.reduce(0) { $0 + $1.count }, &bytes)
        let earlier = stored.items.compactMap { try? JSONValue(parsing: $0, .surrogates) }
        references.body = Self.body(body, earlier + items, keepsPrevious: !keeps)
        return references
    }

    /// Puts items in the place of references to them; true when there was one.
    ///
    /// - Parameter kept: Gets the tokens of the items that the provider keeps: of each no more than its response has.
    private func resolveItems(
        _ items: inout [JSONValue], for provider: String, keeps: Bool, _ bytes: inout Int, _ kept: inout EarlierTurns
    ) throws(UntranslatableRequest) -> Bool {
        var isChanged = false
        // Several items of one response have together what it has; an item that is repeated has that again.
        var counted: Set<String> = []
        for index in items.indices {
            // The type may be left out.
            let isReference =
                items[index]["type"]?.present?.string == "item_reference"
                || items[index]["type"]?.present == nil && items[index]["role"] == nil && items[index]["id"] != nil
            guard isReference else { continue }
            guard let id = items[index]["id"]?.string else {
                throw UntranslatableRequest("input[\(index)].id is required")
            }
            guard let stored = responses.response(withItem: id, of: owner) else {
                throw UntranslatableRequest(
                    "input[\(index)] refers to item \"\(id.excerpt)\", which is not kept here: send the item itself")
            }
            if let keeper = stored.provider {
                guard keeps, keeper == provider else { throw Self.elsewhere("input[\(index)]", keeper) }
                let isRepeated = !counted.insert("item " + id).inserted
                if counted.insert("response " + stored.id).inserted || isRepeated { kept = kept + stored.output }
            } else if let place = stored.itemIDs.first(where: { $0.id == id })?.index {
                try Self.count(stored.items[place].count, &bytes)
                guard let item = try? JSONValue(parsing: stored.items[place], .surrogates) else { continue }
                items[index] = item
                isChanged = true
            }
        }
        return isChanged
    }

    /// Counts content before it is read: one item can be referred to many times.
    private static func count(_ more: Int, _ bytes: inout Int) throws(UntranslatableRequest) {
        bytes += more
        guard bytes <= contentBytesMax else {
            throw UntranslatableRequest(
                "the responses and items that the request refers to have more than \(contentBytesMax) bytes: refer to fewer"
            )
        }
    }

    private static func elsewhere(_ place: String, _ keeper: String) -> UntranslatableRequest {
        UntranslatableRequest(
            "\(place) refers to a response that model provider \"\(keeper.excerpt)\" keeps, and this model is another "
                + "provider's: \(advice)")
    }

    static func items(of input: JSONValue?) -> [JSONValue] {
        guard let text = input?.string else { return input.elements }
        return [.members(["type": .string("message"), "role": .string("user"), "content": .string(text)])]
    }

    private static func body(_ body: JSONValue, _ items: [JSONValue], keepsPrevious: Bool) -> JSONValue {
        guard case .object(let members) = body else { return body }
        let others = members.filter { keepsPrevious || $0.name != "previous_response_id" }
        return JSONValue.object(others.filter { $0.name != "input" } + [.init(name: "input", value: .array(items))])
    }
}
