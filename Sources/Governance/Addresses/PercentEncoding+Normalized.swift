import Domain

/// The normal form of a path or query (RFC 3986, section 6.2.2).
extension PercentEncoding {
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

    private static func mayStandPlain(_ byte: UInt8) -> Bool {
        isUnreserved(byte) || reservedInPath.contains(byte)
    }

    private static let reservedInPath = Array("/:@!$&'()*+,;=?".utf8)
}
