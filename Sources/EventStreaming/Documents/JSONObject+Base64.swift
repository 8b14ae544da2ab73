/// Bytes as base64 (RFC 4648, section 4), written where they belong: an export is mostly hashes.
extension JSONObject {
    package mutating func add(_ name: String, base64 value: [UInt8]) {
        addName(name)
        bytes.append(jsonBase64: value)
    }

    package mutating func add(_ name: String, base64 values: [[UInt8]]) {
        addName(name)
        bytes.append(UInt8(ascii: "["))
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(jsonBase64: value)
        }
        bytes.append(UInt8(ascii: "]"))
    }
}

extension [UInt8] {
    /// A JSON string of the bytes in base64, which needs no escape.
    fileprivate mutating func append(jsonBase64 value: [UInt8]) {
        reserve(2 + (value.count + 2) / 3 * 4)
        append(UInt8(ascii: "\""))
        var index = 0
        while index + 2 < value.count {
            append(sextets: UInt32(value[index]) << 16 | UInt32(value[index + 1]) << 8 | UInt32(value[index + 2]), 4)
            index += 3
        }
        switch value.count - index {
        case 2:
            append(sextets: UInt32(value[index]) << 16 | UInt32(value[index + 1]) << 8, 3)
            append(UInt8(ascii: "="))
        case 1:
            append(sextets: UInt32(value[index]) << 16, 2)
            append(UInt8(ascii: "="))
            append(UInt8(ascii: "="))
        default: break
        }
        append(UInt8(ascii: "\""))
    }

    /// Makes room as `append` does, doubling: `reserveCapacity` alone would copy the whole for each value.
    private mutating func reserve(_ more: Int) {
        if capacity - count < more { reserveCapacity(Swift.max(2 * capacity, count + more)) }
    }

    private mutating func append(sextets bits: UInt32, _ count: UInt32) {
        for place in 0..<count { append(base64Digits[Int(bits >> (18 - 6 * place) & 63)]) }
    }
}

private let base64Digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
