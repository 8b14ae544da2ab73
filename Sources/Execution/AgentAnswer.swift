package import Domain

/// The JSON value that stands for an agent's answer, whatever its bytes are (docs/http.md, "Answers of agents"). Pure.
package enum AgentAnswer {
    /// The member of the answer that says how much of it was cut.
    static let noteName = "answer_note"
    /// Escapes can make a text longer than its bytes; beyond this, more of the bytes are cut.
    private static let expansionMax = 2
    private static let cutsMax = 8

    /// The answer: exact when it is JSON, repaired when it nearly is, else its text as the member `response`.
    ///
    /// - Parameters:
    ///   - body: the beginning of the answer, all of it when `bytesCut` is 0.
    ///   - bytesCut: the number of bytes that follow and are dropped.
    /// - Returns: `nil` for an empty answer.
    package static func value(of body: [UInt8], bytesCut: Int) -> JSONValue? {
        guard !body.isEmpty else { return nil }
        if bytesCut == 0, let exact = try? JSONValue(parsing: body) { return exact }
        var (kept, cut) = (body[...], bytesCut)
        for _ in 0..<cutsMax {
            let value = repaired(Array(kept), bytesCut: cut)
            guard value.text.text.utf8.count > expansionMax * max(body.count, 1024) else { return value }
            cut += kept.count - kept.count / 2
            kept = kept.prefix(kept.count / 2)
        }
        return repaired(Array(kept), bytesCut: cut)
    }

    private static func repaired(_ body: [UInt8], bytesCut: Int) -> JSONValue {
        let value = try? JSONValue(parsing: bytesCut > 0 ? body.closedJSON : body, .all)
        guard bytesCut > 0 else { return value ?? text(body) }
        let note = "\(bytesCut) of \(body.count + bytesCut) bytes were cut: the answer exceeds the limit"
        return noted(value ?? text(body), note)
    }

    private static func text(_ body: [UInt8]) -> JSONValue {
        .object([.init(name: "response", value: .string(JSONRepairs.text(ofBytes: body)))])
    }

    /// The value with the note as its last member; a value that has no members becomes the member `response`.
    private static func noted(_ value: JSONValue, _ note: String) -> JSONValue {
        let members: [JSONValue.Member] =
            if case .object(let members) = value { members } else { [.init(name: "response", value: value)] }
        return .object(
            members.filter { $0.name != noteName } + [.init(name: noteName, value: .string(note))])
    }
}
