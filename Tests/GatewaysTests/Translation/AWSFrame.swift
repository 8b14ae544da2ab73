import Domain

/// Messages of Amazon's event stream, written bit by bit.
enum AWSFrame {
    static func bytes(_ headers: [(String, String)], _ payload: JSONValue) -> [UInt8] {
        bytes(headers, Array(payload.text.text.utf8))
    }

    static func bytes(_ headers: [(String, String)], _ payload: [UInt8]) -> [UInt8] {
        func number(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
        func checksum(_ bytes: [UInt8]) -> [UInt8] {
            var value = ~UInt32(0)
            for byte in bytes {
                value ^= UInt32(byte)
                for _ in 0..<8 { value = value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
            }
            return number(Int(~value))
        }
        var head: [UInt8] = []
        for (name, value) in headers {
            head.append(UInt8(name.utf8.count))
            head += name.utf8
            head += [7, 0, UInt8(value.utf8.count)]
            head += value.utf8
        }
        var bytes = number(16 + head.count + payload.count) + number(head.count)
        bytes += checksum(bytes)
        bytes += head + payload
        return bytes + checksum(bytes)
    }
}
