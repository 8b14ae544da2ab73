/// A JSON value, kept exactly: members in the order they came, numbers as they were written.
///
/// Foundation's parser gives up both; what an approver sees and what a hash is over must not change on the way.
package enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// The number's own text, which RFC 8259 allows any length and precision.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    package struct Member: Hashable, Sendable {
        package let name: String
        package let value: JSONValue

        package init(name: String, value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    #if DEBUG
        /// Receives the name of each member that is looked up; `nil` except in tests of the API's document.
        @TaskLocal package static var lookupObserver: (@Sendable (String) -> Void)?
    #endif

    /// The member of that name; `nil` when there is none or this is no object.
    package subscript(_ name: String) -> JSONValue? {
        #if DEBUG
            Self.lookupObserver?(name)
        #endif
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name.isExactly(name) }?.value
    }

    /// True when a string in it, or the name of a member, holds the character NUL.
    package var containsNUL: Bool {
        switch self {
        case .null, .bool, .number: false
        case .string(let text): text.utf8.contains(0)
        case .array(let values): values.contains { $0.containsNUL }
        case .object(let members): members.contains { $0.name.utf8.contains(0) || $0.value.containsNUL }
        }
    }

    package var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// A number without a fraction, however it is written: 1 is also 1.0 and 1e0 (JSON Schema, section 4.2.3).
    package var wholeNumber: Int? {
        guard case .number(let text) = self else { return nil }
        if let number = Int(text) { return number }
        return Double(text).flatMap { abs($0) <= 9_007_199_254_740_992 ? Int(exactly: $0) : nil }
    }

    /// The value without white space, on one line.
    package var text: JSONText {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return JSONText(verified: String(decoding: bytes, as: UTF8.self))
    }

    private func write(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes += "null".utf8
        case .bool(let flag): bytes += (flag ? "true" : "false").utf8
        case .number(let text): bytes += text.utf8
        case .string(let text): bytes.append(jsonString: text)
        case .array(let values):
            bytes.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes.append(jsonString: member.name)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }
}

extension JSONText {
    /// The value that the text stands for; `.null` if the text was not verified after all.
    package var value: JSONValue {
        do {
            return try JSONValue(parsing: Array(text.utf8))
        } catch {
            return .null
        }
    }
}

extension [UInt8] {
    /// Appends a JSON string (RFC 8259, section 7): quotes, backslashes and control characters escaped, the rest UTF-8.
    package mutating func append(jsonString text: String) {
        var text = text
        append(UInt8(ascii: "\""))
        text.withUTF8 { utf8 in
            // What needs no escape is copied in one piece: mostly that is all of it.
            var plainStart = 0
            for (index, byte) in utf8.enumerated() {
                guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
                append(contentsOf: UnsafeBufferPointer(rebasing: utf8[plainStart..<index]))
                append(jsonEscapeOf: byte)
                plainStart = index + 1
            }
            append(contentsOf: UnsafeBufferPointer(rebasing: utf8[plainStart...]))
        }
        append(UInt8(ascii: "\""))
    }

    private mutating func append(jsonEscapeOf byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            append(UInt8(ascii: "\\"))
            append(byte)
        case 0x0a: self += "\\n".utf8
        case 0x0d: self += "\\r".utf8
        case 0x09: self += "\\t".utf8
        default:
            let digits = String(byte, radix: 16)
            self += (digits.utf8.count == 1 ? "\\u000" : "\\u00").utf8
            self += digits.utf8
        }
    }
}

extension JSONValue {
    /// An object of the members that have a value, in order.
    package static func members(_ members: KeyValuePairs<String, JSONValue?>) -> JSONValue {
        .object(members.compactMap { name, value in value.map { Member(name: name, value: $0) } })
    }

    /// The elements of an array; none for every other value.
    package var elements: [JSONValue] {
        if case .array(let values) = self { values } else { [] }
    }

    /// The strings among the elements of an array; none for every other value.
    package var strings: [String] { elements.compactMap(\.string) }
}

extension JSONValue? {
    /// The elements of an array; none for every other value.
    package var elements: [JSONValue] { self?.elements ?? [] }

    /// The strings among the elements of an array; none for every other value.
    package var strings: [String] { self?.strings ?? [] }
}
