/// Faults of a JSON text that its reader repairs instead of refusing the text (docs/http.md, "Answers of agents").
///
/// The repaired value holds in visible form what JSON in UTF-8 cannot hold: half of a surrogate pair as `\ud83d`, a byte
/// that is not UTF-8 as `\xff`, `NaN` and the infinities as strings.
package struct JSONRepairs: OptionSet, Sendable {
    package let rawValue: Int

    /// Escapes of half a surrogate pair.
    package static let surrogates = JSONRepairs(rawValue: 1)
    /// Everything that other writers of JSON produce: `NaN`, a byte order mark, invalid UTF-8, unescaped control
    /// characters, a name twice in an object, nesting beyond `JSONValue.depthMax`.
    package static let syntax = JSONRepairs(rawValue: 2)
    package static let all: JSONRepairs = [.surrogates, .syntax]

    package init(rawValue: Int) { self.rawValue = rawValue }

    /// The text of any bytes: UTF-8 as it is, every other byte as `\xff`.
    package static func text(ofBytes bytes: some Collection<UInt8>) -> String {
        let bytes = Array(bytes)
        if let text = try? UTF8Span(validating: bytes.span) { return String(copying: text) }
        var (text, index): ([UInt8], Int) = ([], 0)
        text.reserveCapacity(bytes.count)
        while index < bytes.count {
            let count = scalarLength(bytes[index...])
            if count > 0 {
                text += bytes[index..<index + count]
            } else {
                text += "\\x\(hex(UInt32(bytes[index]), digits: 2))".utf8
            }
            index += max(count, 1)
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func text(ofSurrogate code: UInt32) -> String { "\\u" + hex(code, digits: 4) }

    /// The members with every name once: the last of several keeps it, the earlier ones get `name#1`, `name#2`, ….
    static func withDistinctNames(_ members: [JSONValue.Member]) -> [JSONValue.Member] {
        var last: [String: Int] = [:]
        for (index, member) in members.enumerated() { last[member.name] = index }
        var (taken, counts): (Set<String>, [String: Int]) = (Set(last.keys), [:])
        return members.enumerated().map { index, member in
            guard last[member.name] != index else { return member }
            var name: String
            repeat {
                counts[member.name, default: 0] += 1
                name = "\(member.name)#\(counts[member.name, default: 0])"
            } while !taken.insert(name).inserted
            return JSONValue.Member(name: name, value: member.value)
        }
    }

    /// The number of bytes of the scalar at the beginning; 0 when there is none (Unicode 16, table 3-7).
    private static func scalarLength(_ bytes: ArraySlice<UInt8>) -> Int {
        guard let first = bytes.first else { return 0 }
        if first < 0x80 { return 1 }
        let count = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
        guard (0xc2...0xf4).contains(first) else { return 0 }
        let scalar = Array(bytes.prefix(count))
        guard scalar.count == count, (try? UTF8Span(validating: scalar.span)) != nil else { return 0 }
        return count
    }

    private static func hex(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}

extension JSONParser {
    static let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]

    /// A value that RFC 8259 does not have, or that is nested too deep to be taken apart; `nil` for any other.
    mutating func repairedValue(depth: Int) -> JSONValue? {
        for word in ["NaN", "Infinity", "-Infinity"] where bytes[index...].starts(with: word.utf8) {
            index += word.utf8.count
            return .string(word)
        }
        guard depth >= JSONValue.depthMax, [UInt8(ascii: "{"), UInt8(ascii: "[")].contains(bytes[index]),
            let end = endOfNesting(from: index)
        else { return nil }
        defer { index = end }
        return .string(JSONRepairs.text(ofBytes: bytes[index..<end]))
    }

    /// The index after the bracket that closes the one at `start`, found without recursion.
    private func endOfNesting(from start: Int) -> Int? {
        var scan = JSONScan()
        for index in start..<bytes.count {
            scan.take(bytes[index])
            if scan.open.isEmpty { return index + 1 }
        }
        return nil
    }
}

/// A scan of a JSON text that keeps count of open brackets, without building values.
struct JSONScan {
    /// The brackets that are open, outermost first.
    private(set) var open: [UInt8] = []
    private(set) var isInString = false
    /// True for a string in the place of a member's name.
    private(set) var isInName = false
    private var isEscaped = false
    private var expectsName = false

    /// Takes the next byte.
    ///
    /// - Returns: true when a text that ended here, or before the comma that the byte is, would only lack its closing
    ///   brackets.
    @discardableResult
    mutating func take(_ byte: UInt8) -> Bool {
        if isInString { return takeInString(byte) }
        switch byte {
        case UInt8(ascii: "\""): (isInString, isInName) = (true, expectsName)
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            open.append(byte)
            expectsName = byte == UInt8(ascii: "{")
            return true
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            _ = open.popLast()
            expectsName = false
            return true
        case UInt8(ascii: ":"): expectsName = false
        case UInt8(ascii: ","):
            expectsName = open.last == UInt8(ascii: "{")
            return true
        default: break
        }
        return false
    }

    private mutating func takeInString(_ byte: UInt8) -> Bool {
        if isEscaped {
            isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
            isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
            isInString = false
        }
        return false
    }

    /// The brackets that close the open ones.
    var closing: [UInt8] {
        open.reversed().map { $0 == UInt8(ascii: "{") ? UInt8(ascii: "}") : UInt8(ascii: "]") }
    }
}

extension [UInt8] {
    /// The beginning of a JSON text made whole: a string that is cut ends there, any other unfinished member is left out,
    /// and open brackets are closed.
    package var closedJSON: [UInt8] {
        var scan = JSONScan()
        var (safeEnd, lastBackslash) = (0, -1)
        for (index, byte) in enumerated() {
            if scan.isInString, byte == UInt8(ascii: "\\") {
                // Of a pair of backslashes the second is no escape's beginning.
                lastBackslash = lastBackslash == index - 1 ? -1 : index
            }
            if scan.take(byte) { safeEnd = byte == UInt8(ascii: ",") ? index : index + 1 }
        }
        guard scan.isInString, !scan.isInName else { return self[..<safeEnd] + scan.closing }
        return self[..<stringEnd(lastBackslash)] + [UInt8(ascii: "\"")] + scan.closing
    }

    /// The end without an escape or a character that is not whole.
    private func stringEnd(_ lastBackslash: Int) -> Int {
        var end = count
        if lastBackslash >= 0 {
            let isLong = lastBackslash + 1 < end && self[lastBackslash + 1] == UInt8(ascii: "u")
            if end - lastBackslash < (isLong ? 6 : 2) { end = lastBackslash }
        }
        var back = 0
        while back < 3, end - back > 0, self[end - back - 1] & 0xc0 == 0x80 { back += 1 }
        if end - back > 0, self[end - back - 1] >= 0xc0 {
            let needed = self[end - back - 1] >= 0xf0 ? 3 : self[end - back - 1] >= 0xe0 ? 2 : 1
            if back < needed { end -= back + 1 }
        }
        return end
    }
}
