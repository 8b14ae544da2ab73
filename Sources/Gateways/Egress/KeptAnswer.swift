import Domain

/// A tool's answer as it is kept for an agent that asks again: a line of JSON, then the body.
struct KeptAnswer {
    let status: Int
    let headers: [(name: String, value: String)]
    let body: [UInt8]

    var bytes: [UInt8] {
        let head = JSONValue.object([
            .init(name: "status", value: .number(String(status))),
            .init(
                name: "headers",
                value: .array(headers.map { .array([.string($0.name), .string($0.value)]) })),
        ])
        return Array(head.text.text.utf8) + [UInt8(ascii: "\n")] + body
    }

    init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// Reads what `bytes` made; `nil` for anything else.
    init?(_ bytes: [UInt8]) {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")),
            let head = try? JSONValue(parsing: Array(bytes[..<end])), case .number(let status)? = head["status"],
            let status = Int(status), case .array(let pairs)? = head["headers"]
        else { return nil }
        self.status = status
        headers = pairs.compactMap { pair in
            guard case .array(let parts) = pair, parts.count == 2, let name = parts[0].string,
                let value = parts[1].string
            else { return nil }
            return (name, value)
        }
        body = Array(bytes[(end + 1)...])
    }
}
