/// What is wrong with a text that should be JSON, for the one who sent it.
package struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    package let message: String

    package var description: String { message }
}

extension JSONValue {
    /// How deep arrays and objects may be nested.
    package static let depthMax = 64

    /// Reads one JSON value (RFC 8259) in UTF-8.
    ///
    /// Stricter than the RFC where a lenient reading could be misread later: no lone surrogate, no byte order mark, no
    /// name twice in an object, nesting up to `depthMax`.
    package init(parsing bytes: [UInt8], _ repairs: JSONRepairs = []) throws(JSONError) {
        var parser = JSONParser(bytes, repairs)
        self = try parser.document()
    }
}

struct JSONParser {
    let bytes: [UInt8]
    let repairs: JSONRepairs
    var index = 0

    init(_ bytes: [UInt8], _ repairs: JSONRepairs) {
        self.bytes = bytes
        self.repairs = repairs
        if repairs.contains(.syntax), bytes.starts(with: Self.byteOrderMark) { index = Self.byteOrderMark.count }
    }

    mutating func document() throws(JSONError) -> JSONValue {
        let value = try value(depth: 0)
        skipSpace()
        guard index == bytes.count else { throw error("there is more after the value") }
        return value
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        skipSpace()
        guard index < bytes.count else { throw error("the text ends where a value is expected") }
        if repairs.contains(.syntax), let value = repairedValue(depth: depth) { return value }
        switch bytes[index] {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        try enter(depth)
        var members: [JSONValue.Member] = []
        if skip("}") { return .object(members) }
        repeat {
            skipSpace()
            guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else {
                throw error("a member's name is expected")
            }
            let name = try string()
            guard skip(":") else { throw error("a colon is expected after \"\(name.excerpt)\"") }
            members.append(JSONValue.Member(name: name, value: try value(depth: depth + 1)))
        } while skip(",")
        guard skip("}") else { throw error("a comma or the end of the object is expected") }
        guard Self.hasNameTwice(members) else { return .object(members) }
        guard repairs.contains(.syntax) else { throw error("the object has two members of the same name") }
        return .object(JSONRepairs.withDistinctNames(members))
    }

    private static func hasNameTwice(_ members: [JSONValue.Member]) -> Bool {
        // Comparing each with each is faster than a set as long as they are few.
        guard members.count <= 8 else { return Set(members.lazy.map(\.name)).count < members.count }
        for index in members.indices.dropFirst() {
            for earlier in 0..<index where members[earlier].name == members[index].name { return true }
        }
        return false
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        try enter(depth)
        var values: [JSONValue] = []
        if skip("]") { return .array(values) }
        repeat { values.append(try value(depth: depth + 1)) } while skip(",")
        guard skip("]") else { throw error("a comma or the end of the array is expected") }
        return .array(values)
    }

    private mutating func enter(_ depth: Int) throws(JSONError) {
        guard depth < JSONValue.depthMax else { throw error("it is nested deeper than \(JSONValue.depthMax) levels") }
        index += 1
    }

    mutating func string() throws(JSONError) -> String {
        index += 1
        let start = index
        while index < bytes.count, bytes[index] != UInt8(ascii: "\""), bytes[index] != UInt8(ascii: "\\") {
            guard bytes[index] >= 0x20 || repairs.contains(.syntax) else { throw unescapedControl() }
            index += 1
        }
        guard index < bytes.count else { throw error("a string does not end") }
        if bytes[index] == UInt8(ascii: "\"") {
            defer { index += 1 }
            return try utf8(bytes[start..<index])
        }
        return try escapedString(from: start)
    }

    /// Reads on from the first backslash, with what stands before it.
    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var text = Array(bytes[start..<index])
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return try utf8(text[...])
            case UInt8(ascii: "\\"): text += try escape().utf8
            case 0..<0x20 where !repairs.contains(.syntax): throw unescapedControl()
            default: text.append(byte)
            }
        }
        throw error("a string does not end")
    }

    private mutating func escape() throws(JSONError) -> String {
        guard index < bytes.count else { throw error("a string does not end") }
        let byte = bytes[index]
        index += 1
        switch byte {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw error("an unknown escape in a string")
        }
    }

    private mutating func unicodeEscape() throws(JSONError) -> String {
        let first = try hexDigits()
        guard (0xd800..<0xe000).contains(first) else {
            guard let scalar = Unicode.Scalar(first) else { throw error("an escape that is no character") }
            return String(Character(scalar))
        }
        let end = index
        if first < 0xdc00, index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"),
            bytes[index + 1] == UInt8(ascii: "u")
        {
            index += 2
            let second = try hexDigits()
            if (0xdc00..<0xe000).contains(second),
                let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
            {
                return String(Character(scalar))
            }
        }
        guard repairs.contains(.surrogates) else { throw error("a lone surrogate in a string") }
        index = end
        return JSONRepairs.text(ofSurrogate: first)
    }

    private mutating func hexDigits() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard index < bytes.count, let digit = Character(Unicode.Scalar(bytes[index])).hexDigitValue else {
                throw error("four hexadecimal digits are expected after \\u")
            }
            value = value << 4 | UInt32(digit)
            index += 1
        }
        return value
    }

    mutating func number() throws(JSONError) -> String {
        let start = index
        _ = skipByte("-")
        if !skipByte("0") {
            guard digits() > 0 else { throw error("a value is expected") }
        }
        if skipByte("."), digits() == 0 { throw error("digits are expected after the point") }
        if skipByte("e") || skipByte("E") {
            _ = skipByte("+") || skipByte("-")
            guard digits() > 0 else { throw error("digits are expected in the exponent") }
        }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func digits() -> Int {
        let start = index
        while index < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index]) { index += 1 }
        return index - start
    }

    mutating func literal(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        let count = word.utf8CodeUnitCount
        guard bytes[index...].prefix(count).elementsEqual(word.description.utf8) else {
            throw error("a value is expected")
        }
        index += count
        return value
    }

    private func utf8(_ slice: ArraySlice<UInt8>) throws(JSONError) -> String {
        do {
            return String(copying: try UTF8Span(validating: slice.span))
        } catch {
            guard !repairs.contains(.syntax) else { return JSONRepairs.text(ofBytes: slice) }
            throw self.error("a string is not valid UTF-8")
        }
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        return skipByte(character)
    }

    private mutating func skipByte(_ character: Unicode.Scalar) -> Bool {
        guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    mutating func skipSpace() {
        while index < bytes.count {
            let byte = bytes[index]
            guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return }
            index += 1
        }
    }

    private func unescapedControl() -> JSONError { error("a control character in a string must be escaped") }

    private func error(_ what: String) -> JSONError {
        JSONError(message: "invalid JSON at byte \(min(index, bytes.count)): \(what)")
    }
}
