/// A text in which characters may be spelled: percent-encoded, escaped as in JSON or program code, as entities of HTML,
/// or quoted-printable, also one within another.
struct SpelledText {
    /// One way to read the bytes at an index.
    struct Reading: Hashable {
        /// A byte, or a Unicode scalar.
        let value: UInt32
        let isScalar: Bool
        let end: Int
    }

    /// Maximum bytes of one spelled character.
    static let spellingBytesMax = 16
    /// Lines that end with so many digits may continue on the next.
    static let digitsOfOpenLine = 16

    private static let nestingMax = 4
    private static let slashesMax = 8

    private let bytes: UnsafeBufferPointer<UInt8>
    /// The number of digits directly before the text.
    private let digitsBefore: Int

    init(_ bytes: UnsafeBufferPointer<UInt8>, digitsBefore: Int) {
        self.bytes = bytes
        self.digitsBefore = digitsBefore
    }

    var count: Int { bytes.count }

    subscript(index: Int) -> UInt8 { bytes[index] }

    subscript(range: Range<Int>) -> Slice<UnsafeBufferPointer<UInt8>> { bytes[range] }

    static let introducers = [UInt8(ascii: "%"), UInt8(ascii: "\\"), UInt8(ascii: "&"), UInt8(ascii: "=")]

    /// True for a byte that a spelling begins with.
    static func isIntroducer(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "%"), UInt8(ascii: "\\"), UInt8(ascii: "&"), UInt8(ascii: "="): true
        default: false
        }
    }

    /// The number of digits of encoded text or of tokens directly before the index, of those that matter.
    func digits(before index: Int) -> Int {
        var first = index
        while first > 0, index - first < Self.digitsOfOpenLine, bytes[first - 1].isTokenDigit { first -= 1 }
        let count = index - first + (first == 0 ? digitsBefore : 0)
        return min(count, Self.digitsOfOpenLine)
    }

    /// True when a line of encoded text, or of a token, ends there that may continue on the next.
    func isLineBreak(at index: Int) -> Bool {
        guard bytes[index].isLineEnd else { return false }
        var end = index
        if bytes[end] == UInt8(ascii: "\n"), end > 0, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        if end > 0, bytes[end - 1] == UInt8(ascii: "=") { end -= 1 }
        return digits(before: end) >= Self.digitsOfOpenLine
    }

    /// The index after a line break that stands for nothing in quoted-printable text; `nil` where none begins.
    func endOfSoftBreak(at index: Int) -> Int? {
        guard bytes[index] == UInt8(ascii: "="), index + 1 < count else { return nil }
        var end = index + 1
        if bytes[end] == UInt8(ascii: "\r"), end + 1 < count, bytes[end + 1] == UInt8(ascii: "\n") { end += 1 }
        return isLineBreak(at: end) ? end + 1 : nil
    }

    /// The index after the last line end that no secret in any form stands across; `nil` without one.
    func endOfLastLine() -> Int? {
        bytes.indices.last { bytes[$0].isLineEnd && !isLineBreak(at: $0) }.map { $0 + 1 }
    }

    /// The ways to read what begins at the index with an introducer, of which one is the byte itself.
    func readings(at index: Int) -> [Reading] {
        var readings: [Reading] = []
        read(bytes[index], index + 1, Self.nestingMax, into: &readings)
        readings.removeAll { $0.end - index > Self.spellingBytesMax }
        return readings
    }

    /// - Parameters:
    ///   - first: the first byte, which may be spelled itself.
    ///   - rest: the index after it.
    private func read(_ first: UInt8, _ rest: Int, _ nesting: Int, into readings: inout [Reading]) {
        readings.append(Reading(value: UInt32(first), isScalar: false, end: rest))
        guard nesting > 0, rest < count else { return }
        switch first {
        case UInt8(ascii: "%"): readPercent(rest, nesting, into: &readings)
        case UInt8(ascii: "\\"): readBackslash(rest, nesting, into: &readings)
        case UInt8(ascii: "&"): readEntity(rest, nesting, into: &readings)
        case UInt8(ascii: "="):
            if let (value, end) = number(rest, digits: 2, radix: 16) { append(value, end, nesting, to: &readings) }
        default: return
        }
    }

    private func readPercent(_ rest: Int, _ nesting: Int, into readings: inout [Reading]) {
        if let (value, end) = number(rest, digits: 2, radix: 16) { append(value, end, nesting, to: &readings) }
        // JavaScript's `escape`.
        if let (letter, next) = character(rest), letter | 0x20 == UInt8(ascii: "u"),
            let (value, end) = number(next, digits: 4, radix: 16)
        {
            append(value, end, nesting, isScalar: true, to: &readings)
        }
    }

    /// Any number of backslashes counts as one: each nesting in a text of JSON doubles them.
    private func readBackslash(_ rest: Int, _ nesting: Int, into readings: inout [Reading]) {
        var (next, slashes) = (rest, 1)
        while let (byte, end) = character(next), byte == UInt8(ascii: "\\"), slashes < Self.slashesMax {
            (next, slashes) = (end, slashes + 1)
            readings.append(Reading(value: UInt32(byte), isScalar: false, end: end))
        }
        guard let (letter, end) = character(next) else { return }
        switch letter {
        case UInt8(ascii: "u"): readCodePoint(end, nesting, into: &readings)
        case UInt8(ascii: "U"):
            if let (value, end) = number(end, digits: 8, radix: 16) {
                append(value, end, nesting, isScalar: true, to: &readings)
            }
        case UInt8(ascii: "x"):
            if let (value, end) = number(end, digits: 2, radix: 16) { append(value, end, nesting, to: &readings) }
        case UInt8(ascii: "0")...UInt8(ascii: "3"):
            if let (value, end) = number(next, digits: 3, radix: 8) { append(value, end, nesting, to: &readings) }
        default: break
        }
        if let control = Self.controls[letter] { append(UInt32(control), end, nesting, to: &readings) }
        read(letter, end, nesting - 1, into: &readings)
    }

    /// Four digits, of two such escapes for what is beyond the first plane, or any number of them in braces.
    private func readCodePoint(_ start: Int, _ nesting: Int, into readings: inout [Reading]) {
        if let (brace, first) = character(start), brace == UInt8(ascii: "{") {
            guard let (value, end) = longNumber(first, radix: 16), let (close, after) = character(end),
                close == UInt8(ascii: "}")
            else { return }
            return append(value, after, nesting, isScalar: true, to: &readings)
        }
        guard let (high, end) = number(start, digits: 4, radix: 16) else { return }
        guard 0xd800..<0xdc00 ~= high else { return append(high, end, nesting, isScalar: true, to: &readings) }
        var next = end
        while let (byte, after) = character(next), byte == UInt8(ascii: "\\"), after - end <= Self.slashesMax {
            next = after
        }
        guard next > end, let (letter, digits) = character(next), letter == UInt8(ascii: "u"),
            let (low, after) = number(digits, digits: 4, radix: 16), 0xdc00..<0xe000 ~= low
        else { return }
        append(0x10000 + (high - 0xd800) << 10 + (low - 0xdc00), after, nesting, isScalar: true, to: &readings)
    }

    private func readEntity(_ rest: Int, _ nesting: Int, into readings: inout [Reading]) {
        guard let (first, second) = character(rest) else { return }
        guard first == UInt8(ascii: "#") else {
            guard let (name, end) = name(rest), let value = HTMLEntities.values[name] else { return }
            return append(value, end, nesting, isScalar: true, to: &readings)
        }
        guard let (letter, digits) = character(second) else { return }
        let isHexadecimal = letter | 0x20 == UInt8(ascii: "x")
        guard let (value, end) = longNumber(isHexadecimal ? digits : second, radix: isHexadecimal ? 16 : 10),
            let (last, after) = character(end)
        else { return }
        // Readers take a number without its semicolon too.
        append(value, last == UInt8(ascii: ";") ? after : end, nesting, isScalar: true, to: &readings)
    }

    /// Adds the character, and what it introduces in turn.
    private func append(
        _ value: UInt32, _ end: Int, _ nesting: Int, isScalar: Bool = false, to readings: inout [Reading]
    ) {
        if value < 0x80 { return read(UInt8(value), end, nesting - 1, into: &readings) }
        readings.append(Reading(value: value, isScalar: isScalar, end: end))
    }

    /// A character of a spelling, which may be percent-encoded.
    private func character(_ index: Int) -> (UInt8, end: Int)? {
        guard index < count else { return nil }
        if bytes[index] == UInt8(ascii: "%"), index + 2 < count, let high = bytes[index + 1].digitValue(16),
            let low = bytes[index + 2].digitValue(16)
        {
            return (high << 4 | low, index + 3)
        }
        return (bytes[index], index + 1)
    }

    private func number(_ start: Int, digits: Int, radix: UInt8) -> (UInt32, end: Int)? {
        var (value, index): (UInt32, Int) = (0, start)
        for _ in 0..<digits {
            guard let (byte, end) = character(index), let digit = byte.digitValue(radix) else { return nil }
            value = value &* UInt32(radix) &+ UInt32(digit)
            index = end
        }
        return (value, index)
    }

    /// A number of one to eight digits.
    private func longNumber(_ start: Int, radix: UInt8) -> (UInt32, end: Int)? {
        var (value, index, digits): (UInt32, Int, Int) = (0, start, 0)
        while digits < 8, let (byte, end) = character(index), let digit = byte.digitValue(radix) {
            value = value &* UInt32(radix) &+ UInt32(digit)
            (index, digits) = (end, digits + 1)
        }
        return digits > 0 ? (value, index) : nil
    }

    /// The name of an entity, and the index after its semicolon.
    private func name(_ start: Int) -> (String, end: Int)? {
        var (name, index): ([UInt8], Int) = ([], start)
        while name.count <= HTMLEntities.nameBytesMax, let (byte, end) = character(index) {
            if byte == UInt8(ascii: ";") { return (String(decoding: name, as: UTF8.self), end) }
            guard byte.isBase64Digit else { return nil }
            name.append(byte)
            index = end
        }
        return nil
    }

    private static let controls: [UInt8: UInt8] = [
        UInt8(ascii: "b"): 0x08, UInt8(ascii: "t"): 0x09, UInt8(ascii: "n"): 0x0a, UInt8(ascii: "f"): 0x0c,
        UInt8(ascii: "r"): 0x0d,
    ]
}

extension SpelledText.Reading {
    /// The first bytes of patterns that it may be the beginning of.
    var firstBytes: [UInt8] {
        let byte = UInt8(exactly: value).map { [$0] } ?? []
        guard isScalar, value >= 0x80, let encoded = Unicode.Scalar(value).flatMap(UTF8.encode) else { return byte }
        return byte + encoded.prefix(1)
    }

    /// The number of bytes of the pattern that it stands for: a byte, a scalar in UTF-8, or a scalar that is a byte
    /// to a reader of Latin-1.
    func count(in pattern: [UInt8], at position: Int) -> Int? {
        if isScalar, value >= 0x80, let encoded = Unicode.Scalar(value).flatMap(UTF8.encode),
            pattern[position...].starts(with: encoded)
        {
            return encoded.count
        }
        return value == UInt32(pattern[position]) ? 1 : nil
    }
}

extension UInt8 {
    var isLineEnd: Bool { self == UInt8(ascii: "\n") || self == UInt8(ascii: "\r") }

    var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }

    /// True for digits of both alphabets.
    var isBase64Digit: Bool {
        switch self {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "-"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// True for digits of base64 and for what else tokens are made of (RFC 7235, token68), but for `=`.
    var isTokenDigit: Bool { isBase64Digit || self == UInt8(ascii: ".") || self == UInt8(ascii: "~") }

    func digitValue(_ radix: UInt8) -> UInt8? {
        let value: UInt8
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = self - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: "a")...UInt8(ascii: "f"):
            value = (self | 0x20) - UInt8(ascii: "a") + 10
        default: return nil
        }
        return value < radix ? value : nil
    }
}
