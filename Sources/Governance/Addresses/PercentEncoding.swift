/// Percent-encoding of a path or query (RFC 3986, 2.1 and 6.2.2).
enum PercentEncoding {
    /// Decodes unreserved characters, writes other escapes upper-case, and escapes what may not stand there.
    static func normalized(_ bytes: ArraySlice<UInt8>) throws(InvalidURL) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            guard byte == UInt8(ascii: "%") else {
                if mayStandPlain(byte) { result.append(byte) } else { append(byte, to: &result) }
                index += 1
                continue
            }
            guard let value = escaped(bytes, at: index) else { throw InvalidURL("has a % that begins no escape") }
            guard value != 0 else { throw InvalidURL("has an escaped NUL") }
            if isUnreserved(value) { result.append(value) } else { append(value, to: &result) }
            index += 3
        }
        return result
    }

    /// Decodes every escape once; what is none stays.
    static func decodedOnce(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.contains(UInt8(ascii: "%")) else { return bytes }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), let value = escaped(bytes[...], at: index) {
                result.append(value)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return result
    }

    private static func escaped(_ bytes: ArraySlice<UInt8>, at index: Int) -> UInt8? {
        guard index + 2 < bytes.endIndex, let high = bytes[index + 1].hexDigit, let low = bytes[index + 2].hexDigit
        else { return nil }
        return high << 4 | low
    }

    private static func append(_ byte: UInt8, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "%"))
        bytes.append(hexDigits[Int(byte >> 4)])
        bytes.append(hexDigits[Int(byte & 15)])
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        byte.isLetter || byte.isDigit || unreservedMarks.contains(byte)
    }

    private static func mayStandPlain(_ byte: UInt8) -> Bool {
        byte.isLetter || byte.isDigit || unreservedMarks.contains(byte) || reservedInPath.contains(byte)
    }

    private static let unreservedMarks = Array("-._~".utf8)
    private static let reservedInPath = Array("/:@!$&'()*+,;=?".utf8)
    private static let hexDigits = Array("0123456789ABCDEF".utf8)
}
