/// A text, or a pattern of texts in which each `*` stands for any bytes, or none.
package struct WildcardPattern: Hashable, Sendable {
    package let text: String
    /// The bytes between the stars; one part for a text without any.
    private let parts: [[UInt8]]

    package init(_ text: String) {
        self.text = text
        parts = text.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(Array.init)
    }

    /// True when it has no `*`, and matches one text.
    package var isExact: Bool { parts.count == 1 }

    /// The bytes before the first `*`; all of an exact one.
    package var prefix: [UInt8] { parts[0] }

    /// The bytes after the last `*`; all of an exact one.
    package var suffix: [UInt8] { parts[parts.count - 1] }

    /// True when the text matches, byte for byte. Takes at most the product of both lengths.
    package func matches(_ other: String) -> Bool {
        guard !isExact else { return text.isExactly(other) }
        let bytes = Array(other.utf8)
        guard prefix.count + suffix.count <= bytes.count, bytes.starts(with: prefix),
            bytes.suffix(suffix.count).elementsEqual(suffix)
        else { return false }
        var rest = bytes[prefix.count..<(bytes.count - suffix.count)]
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }
}
