import Domain

/// Typed access to the members of a body: a wrong type is the client's error and names the member.
extension JSONValue {
    private func member(_ name: String) -> JSONValue? {
        guard let value = self[name], value != .null else { return nil }
        return value
    }

    /// The string at the first of `names` that is there: a name, an id or another text that holds no NUL.
    func text(_ names: String...) throws(APIError) -> String? {
        for name in names {
            guard let text = try freeText(name) else { continue }
            guard !text.utf8.contains(0) else { throw .badRequest("\(name) must not contain the character NUL") }
            return text
        }
        return nil
    }

    func requiredText(_ names: String...) throws(APIError) -> String {
        for name in names { if let text = try text(name) { return text } }
        throw .badRequest("\(names[0]) is required")
    }

    /// The string at the first of `names` that is there, of any characters: a message, a reason.
    func freeText(_ names: String...) throws(APIError) -> String? {
        for name in names {
            guard let value = member(name) else { continue }
            guard case .string(let text) = value else { throw .badRequest("\(name) must be a string") }
            if !text.isEmpty { return text }
        }
        return nil
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(APIError) -> Int? {
        guard let value = member(name) else { return nil }
        guard let number = value.wholeNumber, range.contains(number) else {
            throw .badRequest("\(name) must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func bool(_ name: String) throws(APIError) -> Bool? {
        guard let value = member(name) else { return nil }
        guard case .bool(let flag) = value else { throw .badRequest("\(name) must be true or false") }
        return flag
    }

    func duration(_ name: String) throws(APIError) -> Duration? {
        guard let text = try text(name) else { return nil }
        guard let duration = DurationText.parse(text) else {
            throw .badRequest("\(name) must be a duration such as 30m, 4h or 1d")
        }
        return duration
    }

    func object(_ name: String) throws(APIError) -> JSONValue? {
        guard let value = member(name) else { return nil }
        guard case .object = value else { throw .badRequest("\(name) must be an object") }
        return value
    }

    func array(_ name: String) throws(APIError) -> [JSONValue]? {
        guard let value = member(name) else { return nil }
        guard case .array(let values) = value else { throw .badRequest("\(name) must be an array") }
        return values
    }

    func texts(_ name: String) throws(APIError) -> [String]? {
        guard let values = try array(name) else { return nil }
        var texts: [String] = []
        for value in values {
            guard case .string(let text) = value else { throw .badRequest("\(name) must be an array of strings") }
            texts.append(text)
        }
        return texts
    }
}
