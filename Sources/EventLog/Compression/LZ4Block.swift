import CLZ4

/// LZ4 blocks (github.com/lz4/lz4, `lz4_Block_format.md`) by the system's liblz4.
package enum LZ4Block {
    /// The compressed block, or `nil` when it would not be smaller than `bytes`.
    package static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count > 64, bytes.count <= Int(LZ4_MAX_INPUT_SIZE_LIMIT) else { return nil }
        let capacity = bytes.count - 1
        let block = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, initialized in
            let written = bytes.withUnsafeBytes { source in
                LZ4_compress_default(
                    source.baseAddress?.assumingMemoryBound(to: CChar.self),
                    UnsafeMutableRawPointer(buffer.baseAddress)?.assumingMemoryBound(to: CChar.self),
                    Int32(bytes.count), Int32(capacity))
            }
            initialized = max(0, Int(written))
        }
        return block.isEmpty ? nil : block
    }

    /// The `rawCount` bytes that the block stands for; `nil` when it is malformed or stands for another count.
    package static func decompress(_ block: ArraySlice<UInt8>, rawCount: Int) -> [UInt8]? {
        var isWhole = false
        let bytes = [UInt8](unsafeUninitializedCapacity: rawCount) { buffer, initialized in
            let written = block.withUnsafeBytes { source in
                LZ4_decompress_safe(
                    source.baseAddress?.assumingMemoryBound(to: CChar.self),
                    UnsafeMutableRawPointer(buffer.baseAddress)?.assumingMemoryBound(to: CChar.self),
                    Int32(block.count), Int32(rawCount))
            }
            isWhole = Int(written) == rawCount
            initialized = max(0, min(rawCount, Int(written)))
        }
        return isWhole ? bytes : nil
    }

    /// `LZ4_MAX_INPUT_SIZE`, a macro that is not imported.
    private static let LZ4_MAX_INPUT_SIZE_LIMIT = 0x7e00_0000
}
