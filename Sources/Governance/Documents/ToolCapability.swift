import Domain

/// One thing that a tool can do: a method, and a path with all below it.
package struct ToolCapability: Hashable, Sendable {
    package let name: String?
    package let methods: CallMethods
    package let path: PathPattern
    package let tags: RiskTags
    /// What the document says of repeating the call; `nil` when it says nothing.
    package let isIdempotent: Bool?
    /// Whether a repeated call with the same `Idempotency-Key` is done once.
    package let takesIdempotencyKey: Bool

    init(_ reader: DocumentReader) throws(InvalidDocument) {
        name = try reader.text("name")
        guard let methods = CallMethods(try reader.text("method").map { [$0] } ?? []) else {
            throw reader.invalid("method", "must be an HTTP method, or *")
        }
        self.methods = methods
        guard let path = PathPattern(try reader.text("path") ?? "*") else {
            throw reader.invalid("path", "must begin with a slash and have at most one * in a segment, no . or ..")
        }
        self.path = path
        tags = RiskTags(try reader.texts("riskTags"))
        let isSafe = try reader.flag("safe")
        isIdempotent = try reader.flag("idempotent") ?? isSafe
        takesIdempotencyKey = try reader.flag("idempotencyKey") ?? false
    }

    /// What a person or an approval rule calls it: its name, and `POST /v1/charges`.
    package var names: [String] { (name.map { [$0] } ?? []) + [operation] }

    package var operation: String { "\(methods.names.first ?? "*") \(path.text)" }
}
