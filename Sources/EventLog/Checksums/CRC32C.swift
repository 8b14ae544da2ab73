/// CRC-32C (Castagnoli, RFC 3720 appendix B.4), eight bytes a step ("slicing by 8", Intel 2006).
package struct CRC32C: Sendable {
    private var state: UInt32 = 0xffff_ffff

    package init() {}

    package var value: UInt32 { ~state }

    package static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var crc = CRC32C()
        bytes.withUnsafeBytes { crc.update($0) }
        return crc.value
    }

    package static func checksum(_ bytes: [UInt8]) -> UInt32 { checksum(bytes[...]) }

    package mutating func update(_ buffer: UnsafeRawBufferPointer) {
        state = Self.tables.withUnsafeBufferPointer { tables in
            var crc = state
            var index = 0
            let count = buffer.count
            while index &+ 8 <= count {
                let word = UInt64(littleEndian: buffer.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                let mixed = word ^ UInt64(crc)
                var next: UInt32 = 0
                var shift: UInt64 = 0
                var table = 7 * 256
                while table >= 0 {
                    next ^= tables[table &+ Int(mixed >> shift & 0xff)]
                    shift &+= 8
                    table &-= 256
                }
                crc = next
                index &+= 8
            }
            while index < count {
                crc = tables[Int((crc ^ UInt32(buffer[index])) & 0xff)] ^ crc >> 8
                index &+= 1
            }
            return crc
        }
    }

    /// Eight tables of 256, one after another.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82f6_3b78 : crc >> 1 }
            tables[byte] = crc
        }
        for byte in 0..<256 {
            for table in 1..<8 {
                let previous = tables[(table - 1) * 256 + byte]
                tables[table * 256 + byte] = previous >> 8 ^ tables[Int(previous & 0xff)]
            }
        }
        return tables
    }()
}
