import Domain
import Foundation

/// A secret in one form, of which each byte may be spelled in several ways. Lines may end within it.
struct RedactionPattern: Sendable {
    enum Form: Sendable {
        case text
        /// Base64, in which `-` and `_` stand for `+` and `/`.
        case base64
        /// Base32 in upper case, which stands for both cases.
        case base32
        /// Hexadecimal digits in lower case, which stand for both cases; pairs may be separated.
        case hexadecimal
    }

    /// Encoded texts of fewer digits stand in ordinary text by chance.
    private static let digitsMin = 8
    /// Line breaks are at least this many digits apart.
    private static let lineDigitsMin = 16
    /// A line break and the blanks after it.
    private static let breakCountMax = 4

    let bytes: [UInt8]
    let form: Form

    /// The maximum number of bytes that the pattern takes in a text.
    var spelledBytesMax: Int {
        let breaks = bytes.count / Self.lineDigitsMin + 1
        let separators = form == .hexadecimal ? bytes.count / 2 : 0
        return (bytes.count + breaks * Self.breakCountMax) * SpelledText.spellingBytesMax + separators
    }

    /// The bytes that may stand for the one at the position, apart from spellings of several bytes.
    func plainBytes(at position: Int) -> [UInt8] {
        let byte = bytes[position]
        return [byte] + (other(than: byte).map { [$0] } ?? [])
    }

    /// The bytes that may follow the first, when that is a plain one.
    var secondBytes: [UInt8] {
        plainBytes(at: 1) + SpelledText.introducers + [UInt8(ascii: "\r"), UInt8(ascii: "\n")]
    }

    /// The end of the pattern in the text that begins at the index; `nil` when another text begins there.
    ///
    /// Follows every reading that fits. The work is bounded by the lengths, whatever the text repeats.
    func end(in text: SpelledText, at index: Int) -> Int? {
        var pending = [Progress(index: index)]
        var followed: Set<[Int]> = []
        var longest: Int?
        while let progress = pending.popLast() {
            switch follow(progress, in: text) {
            case .end(let end): longest = max(longest ?? 0, end)
            case .readings(let all):
                pending += all.count == 1 ? all : all.filter { followed.insert([$0.index, $0.position]).inserted }
            }
        }
        return longest
    }

    private struct Progress {
        var index: Int
        var position = 0
        var digitsSinceBreak = RedactionPattern.lineDigitsMin
        var breakCount = 0
    }

    private enum Step {
        case end(Int)
        /// The ways to go on from a spelled character; none when another text stands there.
        case readings([Progress])
    }

    private func follow(_ start: Progress, in text: SpelledText) -> Step {
        var progress = start
        while progress.position < bytes.count {
            guard progress.index < text.count else { return .readings([]) }
            let found = text[progress.index]
            if SpelledText.isIntroducer(found) { return .readings(readings(in: text, progress)) }
            if isPlain(found, for: bytes[progress.position]) {
                advance(&progress, to: progress.index + 1, by: 1)
            } else if isSeparator(found, progress) {
                progress.index += 1
            } else {
                guard text.isLineBreak(at: progress.index) || progress.breakCount > 0 && !found.isLineEnd,
                    skipBreak(&progress, found, to: progress.index + 1)
                else { return .readings([]) }
            }
        }
        return .end(progress.index)
    }

    private func readings(in text: SpelledText, _ progress: Progress) -> [Progress] {
        let readings: [Progress] = text.readings(at: progress.index).compactMap { reading in
            var next = progress
            if let count = reading.count(in: bytes, at: progress.position) {
                advance(&next, to: reading.end, by: count)
                return next
            }
            guard let byte = UInt8(exactly: reading.value), skipBreak(&next, byte, to: reading.end) else { return nil }
            return next
        }
        var next = progress
        guard let end = text.endOfSoftBreak(at: progress.index), skipBreak(&next, UInt8(ascii: "\n"), to: end) else {
            return readings
        }
        return readings + [next]
    }

    private func advance(_ progress: inout Progress, to index: Int, by count: Int) {
        progress.index = index
        progress.position += count
        progress.digitsSinceBreak += count
        progress.breakCount = 0
    }

    /// - Returns: false where no line ends.
    private func skipBreak(_ progress: inout Progress, _ byte: UInt8, to index: Int) -> Bool {
        guard progress.position > 0, progress.breakCount < Self.breakCountMax, byte.isLineEnd || byte.isBlank else {
            return false
        }
        if progress.breakCount == 0 {
            guard byte.isLineEnd, progress.digitsSinceBreak >= Self.lineDigitsMin else { return false }
            progress.digitsSinceBreak = 0
        }
        progress.breakCount += 1
        progress.index = index
        return true
    }

    private func isSeparator(_ found: UInt8, _ progress: Progress) -> Bool {
        guard form == .hexadecimal, progress.position > 0, progress.position.isMultiple(of: 2),
            progress.breakCount == 0
        else { return false }
        return found == UInt8(ascii: ":") || found == UInt8(ascii: "-") || found == UInt8(ascii: " ")
    }

    private func isPlain(_ found: UInt8, for wanted: UInt8) -> Bool { found == wanted || found == other(than: wanted) }

    /// The byte that may stand for that one: a plus sign of a form, or a digit of the other alphabet or case.
    private func other(than wanted: UInt8) -> UInt8? {
        switch (form, wanted) {
        case (.text, UInt8(ascii: " ")): UInt8(ascii: "+")
        case (.base64, UInt8(ascii: "+")): UInt8(ascii: "-")
        case (.base64, UInt8(ascii: "/")): UInt8(ascii: "_")
        case (.hexadecimal, UInt8(ascii: "a")...UInt8(ascii: "f")): wanted & ~0x20
        case (.base32, UInt8(ascii: "A")...UInt8(ascii: "Z")): wanted | 0x20
        default: nil
        }
    }
}

/// The forms of a secret.
extension RedactionPattern {
    /// The secret as it is and in UTF-16, in base64, base32 and hexadecimal, and the base64 of other encodings: the
    /// text escaped for JSON or for URLs, in hexadecimal, in base64.
    static func patterns(of secret: [UInt8]) -> [RedactionPattern] {
        let wide: [UInt8] = secret.flatMap { [$0, 0 as UInt8] }.dropLast()
        let (hex, wideHex) = (hexDigits(secret), hexDigits(wide))
        let base64 = infixes(of: secret)
        let base64URL = base64.map { $0.map(urlDigit) }.filter { !base64.contains($0) }
        let text = String(decoding: secret, as: UTF8.self)
        // RFC 8259, section 7.
        let escaped = Array(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").utf8)
        let encoded: [[UInt8]] = [escaped, Array(PercentEncoding.encode(text).utf8)].filter { $0 != secret }
        let encodedTwice = encoded + [wide, hex, hex.map { (0x61...0x66).contains($0) ? $0 & ~0x20 : $0 }]
        var patterns = [
            RedactionPattern(bytes: secret, form: .text), RedactionPattern(bytes: wide, form: .text),
            RedactionPattern(bytes: whole(secret), form: .base64), RedactionPattern(bytes: hex, form: .hexadecimal),
            RedactionPattern(bytes: wideHex, form: .hexadecimal),
        ]
        patterns += base64.map { RedactionPattern(bytes: $0, form: .base64) }
        for inner in encodedTwice + base64 + base64URL {
            patterns += infixes(of: inner).map { RedactionPattern(bytes: $0, form: .base64) }
        }
        for alphabet in base32Alphabets {
            patterns += base32Infixes(of: secret, alphabet).map { RedactionPattern(bytes: $0, form: .base32) }
        }
        for inner in base64 + base64URL {
            patterns.append(RedactionPattern(bytes: hexDigits(inner), form: .hexadecimal))
        }
        return patterns
    }

    private static func hexDigits(_ bytes: [UInt8]) -> [UInt8] {
        func digit(_ value: UInt8) -> UInt8 { value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10 }
        var digits: [UInt8] = []
        digits.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            digits.append(digit(byte >> 4))
            digits.append(digit(byte & 15))
        }
        return digits
    }

    /// The base64 of the bytes, without padding (RFC 4648).
    private static func whole(_ bytes: [UInt8]) -> [UInt8] {
        var digits: [UInt8] = []
        digits.reserveCapacity(bytes.count * 4 / 3 + 1)
        var (bits, width): (UInt32, UInt32) = (0, 0)
        for byte in bytes {
            (bits, width) = (bits << 8 | UInt32(byte), width + 8)
            while width >= 6 {
                width -= 6
                digits.append(alphabet[Int(bits >> width & 63)])
            }
            bits &= (1 << width) - 1
        }
        if width > 0 { digits.append(alphabet[Int(bits << (6 - width) & 63)]) }
        return digits
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The digits that stand for these bytes alone, for each of the three places within a base64 text.
    private static func infixes(of bytes: [UInt8]) -> [[UInt8]] {
        [(0, 0), (1, 2), (2, 3)].map { offset, digitsBefore in
            let padded = [UInt8](repeating: 0, count: offset) + bytes
            return Array(whole(padded).prefix(padded.count * 8 / 6).dropFirst(digitsBefore))
        }.filter { $0.count >= digitsMin }
    }

    /// Both alphabets of RFC 4648, sections 6 and 7.
    private static let base32Alphabets = [
        Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8), Array("0123456789ABCDEFGHIJKLMNOPQRSTUV".utf8),
    ]

    /// The digits that stand for these bytes alone, for each of the five places within a base32 text.
    private static func base32Infixes(of bytes: [UInt8], _ alphabet: [UInt8]) -> [[UInt8]] {
        (0..<5).map { offset in
            // The bits of the first digit that are not of the bytes before.
            var (bits, width) = (UInt32(0), -((5 - offset * 8 % 5) % 5))
            var digits: [UInt8] = []
            digits.reserveCapacity(bytes.count * 8 / 5)
            for byte in bytes {
                (bits, width) = (bits << 8 | UInt32(byte), width + 8)
                while width >= 5 {
                    width -= 5
                    digits.append(alphabet[Int(bits >> UInt32(width) & 31)])
                }
                bits &= width > 0 ? (1 << UInt32(width)) - 1 : 0
            }
            return digits
        }.filter { $0.count >= digitsMin }
    }

    private static func urlDigit(_ digit: UInt8) -> UInt8 {
        switch digit {
        case UInt8(ascii: "+"): UInt8(ascii: "-")
        case UInt8(ascii: "/"): UInt8(ascii: "_")
        default: digit
        }
    }
}

/// Base64 (RFC 4648), with padding or without, of both alphabets.
enum Base64Text {
    static func decode(_ text: String) -> [UInt8]? {
        let plain = text.replacing("-", with: "+").replacing("_", with: "/").replacing("=", with: "")
        let padding = String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
        return Data(base64Encoded: plain + padding).map { Array($0) }
    }
}
