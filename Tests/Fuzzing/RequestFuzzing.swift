import Domain
import HTTPAPI

/// Any JSON gives a document to store, or says what is wrong with it.
enum RequestFuzzing {
    static func run(_ input: [UInt8]) throws {
        try checkLines(input)
        guard let body = parsed(input) else { return }
        try check(body, ToolDocument.document)
        try check(body) { body throws(APIError) in try SpecDocument.document(.policy, body) }
        try check(body) { body throws(APIError) in try SpecDocument.document(.modelProvider, body) }
        try check(body, IdentityProviderDocument.document)
    }

    private static func check(
        _ body: JSONValue, _ document: (JSONValue) throws(APIError) -> JSONText
    ) throws {
        let stored: JSONText
        do throws(APIError) {
            stored = try document(body)
        } catch {
            try promise(!error.message.isEmpty, "a refusal without a reason")
            try promise(error.message.utf8.count < 512, "a refusal as long as what was sent")
            return
        }
        // What is stored is what clients read, change and send again.
        guard let value = parsed(Array(stored.text.utf8)), value["spec"] != nil else {
            throw BrokenPromise(description: "what is stored is no document: \(stored.text)")
        }
        do {
            try promise(try document(value) == stored, "what is stored is stored otherwise: \(stored.text)")
        } catch let error as APIError {
            throw BrokenPromise(description: "what is stored is refused, \(error.message): \(stored.text)")
        }
    }

    /// A body of lines is read as each of its lines would be.
    private static func checkLines(_ input: [UInt8]) throws {
        let lines = input.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(Array.init)
        let given = lines.filter { !$0.allSatisfy(" \r\t".utf8.contains) }
        let values: JSONValue
        do throws(APIError) {
            values = try BodyParsing.lines(input)
        } catch {
            let words = error.message.split(whereSeparator: { $0 == " " || $0 == ":" })
            guard words.first == "line", let number = Int(words[1]), lines.indices.contains(number - 1) else {
                throw BrokenPromise(description: "a refusal that names no line: \(error.message)")
            }
            if case .object? = parsed(lines[number - 1]) {
                throw BrokenPromise(description: "an object is refused: \(error.message)")
            }
            return
        }
        try promise(values == .array(given.compactMap(parsed)), "other values than the lines have")
    }

    private static func parsed(_ bytes: [UInt8]) -> JSONValue? {
        do throws(JSONError) { return try JSONValue(parsing: bytes) } catch { return nil }
    }
}
