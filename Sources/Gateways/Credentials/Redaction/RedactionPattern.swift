import Foundation

/// A secret in one form, and the ways to write each of its bytes.
struct RedactionPattern: Hashable, Sendable {
    enum Match {
        case none
        case end(Int)
        /// The buffer ends within what may be the secret.
        case unfinished
    }

    /// Base64 of fewer digits stands in ordinary text by chance.
    private static let base64DigitsMin = 8

    let bytes: [UInt8]
    /// True for base64, in which `-` and `_` stand for `+` and `/`.
    let isBase64: Bool

    /// The secret as it is, and as each of the three parts of a base64 text that it can be.
    static func patterns(of secret: [UInt8]) -> [RedactionPattern] {
        var patterns = [RedactionPattern(bytes: secret, isBase64: false)]
        let whole = Array(Data(secret).base64EncodedString().utf8.prefix { $0 != UInt8(ascii: "=") })
        patterns.append(RedactionPattern(bytes: whole, isBase64: true))
        for (offset, digitsBefore) in [(0, 0), (1, 2), (2, 3)] {
            let padded = [UInt8](repeating: 0, count: offset) + secret
            // Digits of which every bit is the secret's.
            let digits = Array(Data(padded).base64EncodedString().utf8.prefix(padded.count * 8 / 6))
            let own = Array(digits.dropFirst(digitsBefore))
            if own.count >= base64DigitsMin { patterns.append(RedactionPattern(bytes: own, isBase64: true)) }
        }
        return patterns
    }

    /// The bytes that the secret in any spelling may begin with.
    var starts: [UInt8] {
        guard let first = bytes.first else { return [] }
        return (0...UInt8.max).filter { isPlain($0, for: first) || Spellings.isIntroducer($0) }
    }

    /// Compares the secret with what stands at the index, each byte in any of its spellings.
    func match(_ buffer: UnsafeBufferPointer<UInt8>, at start: Int) -> Match { match(buffer, start, from: 0) }

    private func match(_ buffer: UnsafeBufferPointer<UInt8>, _ start: Int, from position: Int) -> Match {
        var (index, position) = (start, position)
        while position < bytes.count {
            guard index < buffer.count else { return .unfinished }
            let (wanted, found) = (bytes[position], buffer[index])
            if Spellings.isIntroducer(found) { return matchSpelled(buffer, index, position) }
            guard isPlain(found, for: wanted) else { return .none }
            index += 1
            position += 1
        }
        return .end(index)
    }

    /// Continues after every spelling that fits; a percent sign may stand for itself.
    private func matchSpelled(_ buffer: UnsafeBufferPointer<UInt8>, _ index: Int, _ position: Int) -> Match {
        var best = Match.none
        for spelling in Spellings.of[Int(bytes[position])] {
            let result: Match
            switch compare(spelling, buffer, index) {
            case .none: continue
            case .unfinished: result = .unfinished
            case .end(let end): result = match(buffer, end, from: position + 1)
            }
            if case .end = result { return result }
            if case .unfinished = result { best = .unfinished }
        }
        return best
    }

    private func compare(_ spelling: [UInt8], _ buffer: UnsafeBufferPointer<UInt8>, _ start: Int) -> Match {
        for (offset, byte) in spelling.enumerated() {
            guard start + offset < buffer.count else { return .unfinished }
            let found = buffer[start + offset]
            guard found == byte || Spellings.lowercased(found) == byte else { return .none }
        }
        return .end(start + spelling.count)
    }

    /// True when the one byte stands for the wanted one: itself, a plus sign of a form, or base64's other alphabet.
    private func isPlain(_ found: UInt8, for wanted: UInt8) -> Bool {
        if found == wanted { return true }
        switch wanted {
        case UInt8(ascii: " "): return found == UInt8(ascii: "+")
        case UInt8(ascii: "+"): return isBase64 && found == UInt8(ascii: "-")
        case UInt8(ascii: "/"): return isBase64 && found == UInt8(ascii: "_")
        default: return false
        }
    }
}

/// The ways to write a byte that begin with `%`, `\` or `&`, in lower case: of URLs, also encoded more than once, of JSON,
/// also within JSON, and of HTML.
private enum Spellings {
    static func isIntroducer(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "%") || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "&")
    }

    static let of: [[[UInt8]]] = (0..<256).map { value in spellings(UInt8(value)).map { $0.map(lowercased) } }

    static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    private static func spellings(_ byte: UInt8) -> [[UInt8]] {
        let hex = [byte].hexText
        var all: [[UInt8]] = isIntroducer(byte) ? [[byte]] : []
        all += (0...3).map { Array(("%" + String(repeating: "25", count: $0) + hex).utf8) }
        for count in 1...4 {
            let slashes = [UInt8](repeating: UInt8(ascii: "\\"), count: count)
            all += [slashes + [byte], slashes + Array("u00\(hex)".utf8), slashes + Array("x\(hex)".utf8)]
            if let letter = controls[byte] { all.append(slashes + [letter]) }
        }
        let entities = ["#\(byte)", "#0\(byte)", "#x\(hex)"] + (names[byte].map { [$0] } ?? [])
        return all + entities.flatMap { ["&\($0);", "&amp;\($0);"] }.map { Array($0.utf8) }
    }

    private static let controls: [UInt8: UInt8] = [
        0x08: UInt8(ascii: "b"), 0x09: UInt8(ascii: "t"), 0x0a: UInt8(ascii: "n"), 0x0c: UInt8(ascii: "f"),
        0x0d: UInt8(ascii: "r"),
    ]
    private static let names: [UInt8: String] = [
        UInt8(ascii: "&"): "amp", UInt8(ascii: "<"): "lt", UInt8(ascii: ">"): "gt", UInt8(ascii: "\""): "quot",
        UInt8(ascii: "'"): "apos",
    ]
}

/// Base64 (RFC 4648), with padding or without, of both alphabets.
enum Base64Text {
    static func decode(_ text: String) -> [UInt8]? {
        let plain = text.replacing("-", with: "+").replacing("_", with: "/").replacing("=", with: "")
        let padding = String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
        return Data(base64Encoded: plain + padding).map { Array($0) }
    }
}
