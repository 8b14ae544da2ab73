/// Text as the value of an HTTP header.
package enum HeaderText {
    /// Header values are visible ASCII: other bytes are percent-encoded (RFC 3986), as is the percent sign.
    package static func encoded(_ text: String) -> String {
        func isPlain(_ byte: UInt8) -> Bool { (0x21...0x7e).contains(byte) && byte != UInt8(ascii: "%") }
        guard !text.utf8.allSatisfy(isPlain) else { return text }
        return text.utf8.map { byte in
            if isPlain(byte) { return String(Unicode.Scalar(byte)) }
            let digits = String(byte, radix: 16, uppercase: true)
            return digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
        }.joined()
    }
}

extension String {
    /// The text in lower case, without a copy where it is already.
    package var inLowerCase: String {
        utf8.allSatisfy { $0 < 0x80 && !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) } ? self : lowercased()
    }
}

extension StringProtocol {
    /// The text without spaces and tabs around it: optional whitespace of RFC 9110, section 5.6.3.
    package var trimmingBlanks: String {
        func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        guard utf8.contains(where: isBlank) else { return String(self) }
        var bytes = Array(utf8)[...]
        while let first = bytes.first, isBlank(first) { bytes.removeFirst() }
        while let last = bytes.last, isBlank(last) { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
