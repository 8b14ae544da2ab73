import Domain

/// Reads typed members of one object of a document; `null` counts as absent.
struct DocumentReader {
    private let value: JSONValue
    /// Where the object stands in the document.
    let path: String

    /// - Throws: when there is something else than an object.
    init(_ value: JSONValue, path: String) throws(InvalidDocument) {
        guard case .object = value else { throw InvalidDocument("\(path) must be an object") }
        self.value = value
        self.path = path
    }

    func text(_ names: String...) throws(InvalidDocument) -> String? {
        for name in names {
            guard let value = member(name) else { continue }
            guard case .string(let text) = value else { throw invalid(name, "must be a string") }
            if !text.isEmpty { return text }
        }
        return nil
    }

    func flag(_ name: String) throws(InvalidDocument) -> Bool? {
        guard let value = member(name) else { return nil }
        guard case .bool(let flag) = value else { throw invalid(name, "must be true or false") }
        return flag
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(InvalidDocument) -> Int? {
        guard let value = member(name) else { return nil }
        guard let number = value.wholeNumber, range.contains(number) else {
            throw invalid(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func duration(_ name: String) throws(InvalidDocument) -> Duration? {
        guard let text = try text(name) else { return nil }
        guard let duration = DurationText.parse(text) else {
            throw invalid(name, "must be a duration such as 30m, 4h or 1d")
        }
        return duration
    }

    /// One of a type's words, in any case.
    func choice<Word: RawRepresentable & CaseIterable>(
        _ name: String, of type: Word.Type
    ) throws(InvalidDocument) -> Word? where Word.RawValue == String {
        guard let text = try text(name) else { return nil }
        guard let word = Word.allCases.first(where: { $0.rawValue.utf8.map(\.lowered) == text.utf8.map(\.lowered) })
        else { throw invalid(name, "must be one of \(Word.allCases.map(\.rawValue).joined(separator: ", "))") }
        return word
    }

    /// Strings without empty ones; none when the member is absent.
    func texts(_ name: String) throws(InvalidDocument) -> [String] {
        var texts: [String] = []
        for value in try array(name) {
            guard case .string(let text) = value, !text.isEmpty else {
                throw invalid(name, "must be an array of strings that are not empty")
            }
            texts.append(text)
        }
        return texts
    }

    func object(_ name: String) throws(InvalidDocument) -> DocumentReader? {
        guard let value = member(name) else { return nil }
        return try DocumentReader(value, path: "\(path).\(name)")
    }

    /// The objects of an array, of at most `max`.
    func objects(_ name: String, max: Int) throws(InvalidDocument) -> [DocumentReader] {
        let values = try array(name)
        guard values.count <= max else { throw invalid(name, "must have at most \(max) entries") }
        guard values.allSatisfy({ if case .object = $0 { true } else { false } }) else {
            throw invalid(name, "must be an array of objects")
        }
        var readers: [DocumentReader] = []
        for (index, value) in values.enumerated() {
            readers.append(try DocumentReader(value, path: "\(path).\(name)[\(index)]"))
        }
        return readers
    }

    /// The object as it is, to be read under a path of its own.
    func member(object name: String) throws(InvalidDocument) -> JSONValue? {
        guard let value = member(name) else { return nil }
        guard case .object = value else { throw InvalidDocument("\(name) must be an object") }
        return value
    }

    func invalid(_ name: String, _ what: String) -> InvalidDocument { InvalidDocument("\(path).\(name) \(what)") }

    private func array(_ name: String) throws(InvalidDocument) -> [JSONValue] {
        guard let value = member(name) else { return [] }
        guard case .array(let values) = value else { throw invalid(name, "must be an array") }
        return values
    }

    private func member(_ name: String) -> JSONValue? {
        guard let value = value[name], value != .null else { return nil }
        return value
    }
}
