import Domain

/// The packages an agent asks for, as a requirements file or a list.
enum Requirements {
    /// The lines, without comments and white space around them.
    ///
    /// Names from the index alone: an option or an address would let a deploy read what the daemon can read.
    static func lines(_ value: JSONValue?) throws(AgentRefusal) -> [String] {
        let texts: [String]
        switch value {
        case .string(let text)?: texts = text.split(whereSeparator: \.isNewline).map(String.init)
        case .array(let values)?: texts = values.compactMap(\.string)
        case nil, .null?, .bool?, .number?, .object?: texts = []
        }
        var lines: [String] = []
        for text in texts {
            let line = trimmed(text.prefix { $0 != "#" })
            if line.isEmpty { continue }
            let first = line.unicodeScalars.first
            guard first.map({ $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0)) }) == true,
                !line.contains("://"), !line.contains("@"), line.unicodeScalars.allSatisfy({ $0.value >= 0x20 }),
                line.utf8.count <= SourcePath.bytesMax
            else {
                throw AgentRefusal(
                    "requirements: \"\(line.prefix(80))\" is refused; name packages of the index, such as requests>=2.31"
                )
            }
            lines.append(line)
        }
        guard lines.count <= AgentDefinition.requirementsMax else {
            throw AgentRefusal("requirements has more than \(AgentDefinition.requirementsMax) lines")
        }
        return lines
    }

    private static func trimmed(_ text: Substring) -> String {
        var rest = text[...]
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
