#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Redacts one key from texts: as it is, percent-encoded or escaped as in JSON in any of its characters, and base64 of
/// any text around it.
package struct KeyRedactor: Sendable {
    /// The text in the place of the key; it needs no escape in a URL, in JSON or in a header.
    package static let mark = "-agent-key-"

    private static let markBytes = Array(mark.utf8)

    package let key: String
    private let bytes: [UInt8]

    package init(_ key: String) {
        self.key = key
        bytes = Array(key.utf8)
    }

    /// The text without the key; `nil` when it is not in it.
    package func redacted(_ text: String) -> String? {
        var text = text
        return text.withUTF8(redacted).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The bytes without the key; `nil` when it is not in them.
    package func redacted(_ bytes: [UInt8]) -> [UInt8]? { bytes.withUnsafeBufferPointer(redacted) }

    private func redacted(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        // Made for texts that are long enough alone: most headers are not.
        let encodings = text.count < Base64Infix.countMin(of: bytes) ? [] : Base64Infix.all(of: bytes)
        guard mayContainKey(text, encodings) else { return nil }
        var (result, isRedacted, index): ([UInt8], Bool, Int) = ([], false, 0)
        result.reserveCapacity(text.count)
        while index < text.count {
            if let end = escapedKey(in: text, at: index) ?? Self.end(of: encodings, in: text, at: index) {
                result += Self.markBytes
                (isRedacted, index) = (true, end)
            } else {
                result.append(text[index])
                index += 1
            }
        }
        return isRedacted ? result : nil
    }

    /// False for nearly every text, at the speed of a search in memory.
    private func mayContainKey(_ text: UnsafeBufferPointer<UInt8>, _ encodings: [[UInt8]]) -> Bool {
        guard let start = text.baseAddress else { return false }
        return memchr(start, Int32(UInt8(ascii: "%")), text.count) != nil
            || memchr(start, Int32(UInt8(ascii: "\\")), text.count) != nil
            || Self.contains(bytes, text) || encodings.contains { Self.contains($0, text) }
    }

    /// Looks for the underscore of a key, which is rarer in texts than letters are.
    private static func contains(_ key: [UInt8], _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let start = text.baseAddress, !key.isEmpty else { return false }
        let anchor = key.firstIndex(of: UInt8(ascii: "_")) ?? 0
        var index = anchor
        while index + key.count - anchor <= text.count,
            let found = memchr(start + index, Int32(key[anchor]), text.count - index)
        {
            let keyStart = UnsafeRawPointer(start).distance(to: found) - anchor
            guard keyStart + key.count <= text.count else { return false }
            if memcmp(start + keyStart, key, key.count) == 0 { return true }
            index = keyStart + anchor + 1
        }
        return false
    }

    /// The end of the key that begins at `start`, in which any character may be escaped.
    private func escapedKey(in text: UnsafeBufferPointer<UInt8>, at start: Int) -> Int? {
        var index = start
        for byte in bytes {
            guard index < text.count else { return nil }
            switch text[index] {
            case byte: index += 1
            case UInt8(ascii: "%") where Self.hexadecimal(text, index + 1, count: 2) == byte: index += 3
            case UInt8(ascii: "\\")
            where index + 1 < text.count && text[index + 1] == UInt8(ascii: "u")
                && Self.hexadecimal(text, index + 2, count: 4) == byte:
                index += 6
            default: return nil
            }
        }
        return index
    }

    private static func end(
        of encodings: [[UInt8]], in text: UnsafeBufferPointer<UInt8>, at start: Int
    ) -> Int? {
        for encoding in encodings where encoding.first == text[start] && start + encoding.count <= text.count {
            if text[start..<start + encoding.count].elementsEqual(encoding) { return start + encoding.count }
        }
        return nil
    }

    /// The byte that so many hexadecimal digits stand for.
    private static func hexadecimal(_ text: UnsafeBufferPointer<UInt8>, _ start: Int, count: Int) -> UInt8? {
        guard start + count <= text.count else { return nil }
        var value = 0
        for index in start..<start + count {
            guard let digit = Character(Unicode.Scalar(text[index])).hexDigitValue else { return nil }
            value = value << 4 | digit
        }
        return UInt8(exactly: value)
    }
}

/// The part of a text's base64 that does not depend on what stands before and after the text.
enum Base64Infix {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)

    /// The length of the shortest.
    static func countMin(of bytes: [UInt8]) -> Int { max(0, bytes.count - 2) / 3 * 4 }

    /// One for each of the three places that the text may begin at within a group, in both alphabets.
    static func all(of bytes: [UInt8]) -> [[UInt8]] {
        var infixes: [[UInt8]] = []
        for skipped in 0..<3 where bytes.count >= skipped + 3 {
            let groups = bytes[skipped...].prefix((bytes.count - skipped) / 3 * 3)
            let standard = encoded(groups, last: ("+", "/"))
            let urlSafe = encoded(groups, last: ("-", "_"))
            infixes += standard == urlSafe ? [standard] : [standard, urlSafe]
        }
        return infixes
    }

    private static func encoded(_ bytes: ArraySlice<UInt8>, last: (Unicode.Scalar, Unicode.Scalar)) -> [UInt8] {
        let alphabet = digits + [UInt8(ascii: last.0), UInt8(ascii: last.1)]
        var result: [UInt8] = []
        var (bits, width) = (0, 0)
        for byte in bytes {
            (bits, width) = (bits << 8 | Int(byte), width + 8)
            while width >= 6 {
                width -= 6
                result.append(alphabet[bits >> width & 63])
            }
            bits &= (1 << width) - 1
        }
        return result
    }
}
