import EventLog

/// Puts right what a mutation of a frame nearly always breaks, so that what lies behind the checks is reached too.
enum FrameRepair {
    /// The bytes as one frame with its magic, its size and its checksum.
    static func checksum(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.count >= Frame.headerByteCount else { return bytes }
        var frame = bytes
        let payloadByteCount = UInt32(frame.count - Frame.headerByteCount)
        frame.replaceSubrange(0..<4, with: "SLFM".utf8)
        frame.overwrite(at: 4, with: payloadByteCount)
        let isCompressed = frame[24] & 1 == 1
        frame.overwrite(at: 24, with: UInt32(isCompressed ? 1 : 0))
        if !isCompressed { frame.overwrite(at: 8, with: payloadByteCount) }
        let checked = Array(frame[..<28] + frame[Frame.headerByteCount...])
        frame.overwrite(at: 28, with: CRC32C.checksum(checked))
        return frame
    }

    /// The frame with the size of the batch that its LZ4 block stands for.
    static func blockSize(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.count > Frame.headerByteCount else { return bytes }
        var frame = bytes
        frame[24] |= 1
        frame.overwrite(at: 8, with: UInt32(rawByteCount(ofBlock: frame[Frame.headerByteCount...])))
        return frame
    }

    /// Adds up the lengths in an LZ4 block (`lz4_Block_format.md`), whatever else is wrong with it.
    private static func rawByteCount(ofBlock block: ArraySlice<UInt8>) -> Int {
        var rest = block
        func length(_ nibble: UInt8) -> Int {
            var length = Int(nibble)
            guard nibble == 15 else { return length }
            while let byte = rest.popFirst() {
                length += Int(byte)
                if byte < 255 { break }
            }
            return length
        }
        var total = 0
        while let token = rest.popFirst() {
            let literals = length(token >> 4)
            total += literals
            rest = rest.dropFirst(literals)
            guard rest.count >= 2 else { break }
            rest = rest.dropFirst(2)
            total += 4 + length(token & 15)
        }
        return min(total, Frame.rawBytesMax)
    }
}
