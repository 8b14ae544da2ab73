package import Domain

/// Reads the response object out of an answer in OpenAI's Responses format while it passes: one document, or a stream
/// whose last event has it.
///
/// Holds the document, or one event of the stream, up to a limit; a longer one is not read.
package struct ResponseReader: Sendable {
    private static let endings = ["response.completed", "response.incomplete"].map { Array("\"\($0)\"".utf8) }

    private let isEvents: Bool
    private let bytesMax: Int
    private var kept: [UInt8] = []
    private var isCut = false
    private var response: JSONValue?

    package init(isEvents: Bool, bytesMax: Int) {
        self.isEvents = isEvents
        self.bytesMax = bytesMax
    }

    /// Reads the next part.
    package mutating func read(_ bytes: some Collection<UInt8>) {
        guard isEvents else { return keep(bytes) }
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            keep(rest[..<end])
            finishLine()
            rest = rest[rest.index(after: end)...]
        }
        keep(rest)
    }

    /// Reads the document that ends here.
    package mutating func end() {
        if isEvents { return finishLine() }
        guard !isCut, let document = try? JSONValue(parsing: kept, .surrogates),
            document["object"]?.string == "response", ["completed", "incomplete"].contains(document["status"]?.string)
        else { return }
        response = document
    }

    /// The response, once it is complete; later calls return `nil`.
    package mutating func takeResponse() -> JSONValue? {
        defer { response = nil }
        return response
    }

    private mutating func keep(_ part: some Collection<UInt8>) {
        guard !isCut else { return }
        guard kept.count + part.count <= bytesMax else {
            kept.removeAll()
            isCut = true
            return
        }
        kept += part
    }

    private mutating func finishLine() {
        defer {
            kept.removeAll(keepingCapacity: true)
            isCut = false
        }
        guard !isCut, kept.starts(with: "data:".utf8), Self.endings.contains(where: { kept.firstRange(of: $0) != nil }),
            let event = try? JSONValue(parsing: Array(kept.dropFirst(5)), .surrogates),
            let type = event["type"]?.string, ["response.completed", "response.incomplete"].contains(type)
        else { return }
        response = event["response"]
    }
}
