/// Takes an input apart from its front; behind its end everything is zero.
struct InputReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ input: [UInt8]) { rest = input[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    /// A little-endian integer.
    mutating func integer<Integer: FixedWidthInteger>(_: Integer.Type = Integer.self) -> Integer {
        var value: Integer = 0
        for shift in stride(from: 0, to: Integer.bitWidth, by: 8) { value |= Integer(byte()) << shift }
        return value
    }

    /// Up to `count` bytes.
    mutating func bytes(_ count: Int) -> [UInt8] {
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    /// A number below `count`, which is not 0.
    mutating func index(below count: Int) -> Int { Int(integer(UInt16.self)) % count }
}

extension [UInt8] {
    /// Writes an integer over the bytes at `offset`, as far as there are any.
    mutating func overwrite(at offset: Int, with value: some FixedWidthInteger) {
        let bytes = Swift.withUnsafeBytes(of: value.littleEndian) { Array($0) }
        for (index, byte) in bytes.enumerated() where indices.contains(offset + index) { self[offset + index] = byte }
    }

    /// The integer at `offset`; its bytes are there.
    func integer<Integer: FixedWidthInteger>(at offset: Int) -> Integer {
        withUnsafeBytes { Integer(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Integer.self)) }
    }
}
