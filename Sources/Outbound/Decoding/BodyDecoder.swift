import CZlib
import NIOCore

/// Decodes a body step by step: of however many bytes an encoded chunk becomes, one step makes only `stepBytes`.
// SAFETY: one reader uses it at a time, as it uses the iterator that holds it.
final class BodyDecoder: @unchecked Sendable {
    static let stepBytes = 64 * 1024

    private static let formatBits: [ContentCoding: Int32] = [.gzip: 15 + 16, .deflate: 15]
    private static let rawBits: Int32 = -15

    private let coding: ContentCoding
    private let bytesMax: Int
    /// At an address of its own: zlib remembers it.
    private let stream: UnsafeMutablePointer<z_stream>
    private var isBegun = false
    private var hasEnded = false
    private var isFull = false
    private var input: [UInt8] = []
    private var used = 0
    private var count = 0

    init(_ coding: ContentCoding, bytesMax: Int) {
        self.coding = coding
        self.bytesMax = bytesMax
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
    }

    deinit {
        if isBegun { inflateEnd(stream) }
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    func take(_ chunk: ByteBuffer) {
        input = Array(input[used...]) + chunk.readableBytesView
        used = 0
    }

    /// Decodes the next part of what was taken; `nil` when the next chunk is needed.
    func next() throws(OutboundError) -> ByteBuffer? {
        while try begin() {
            var output = [UInt8](repeating: 0, count: Self.stepBytes)
            let (read, written, result) = inflate(into: &output)
            used += read
            count += written
            guard count <= bytesMax else { throw .tooLarge(bytesMax: bytesMax) }
            switch result {
            case Z_OK, Z_BUF_ERROR: break
            case Z_STREAM_END: hasEnded = true
            default: throw .malformed("its \(coding.name) body is damaged")
            }
            // A full step may have left something in zlib's window.
            isFull = written == Self.stepBytes && !hasEnded
            if written > 0 { return ByteBuffer(bytes: output.prefix(written)) }
            if read == 0 { return nil }
        }
        return nil
    }

    /// Checks that the body has come to its end.
    func finish() throws(OutboundError) {
        // A body without a byte is the empty one.
        guard hasEnded || !isBegun && input.isEmpty else { throw .malformed("its \(coding.name) body is cut off") }
    }

    /// Makes zlib ready for what comes next; false when there is too little of it, or none.
    private func begin() throws(OutboundError) -> Bool {
        guard used < input.count || isFull else { return false }
        guard !hasEnded else {
            // A gzip body may have several members (RFC 1952, section 2.2).
            guard coding == .gzip, inflateReset(stream) == Z_OK else {
                throw .malformed("its \(coding.name) body has bytes after its end")
            }
            hasEnded = false
            return true
        }
        guard !isBegun else { return true }
        guard coding == .gzip || input.count >= 2 else { return false }
        let isRaw = coding == .deflate && !Self.isZlibHeader(input[0], input[1])
        let bits = isRaw ? Self.rawBits : Self.formatBits[coding] ?? Self.rawBits
        guard CZlib_inflateInit2(stream, bits) == Z_OK else { throw .malformed("its body cannot be decoded") }
        isBegun = true
        return true
    }

    /// The header of the zlib format (RFC 1950, section 2.2).
    private static func isZlibHeader(_ first: UInt8, _ second: UInt8) -> Bool {
        first & 0x0f == 8 && (Int(first) * 256 + Int(second)) % 31 == 0
    }

    private func inflate(into output: inout [UInt8]) -> (read: Int, written: Int, result: Int32) {
        let available = input.count - used
        return input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                stream.pointee.next_in = input.baseAddress.map { $0 + used }
                stream.pointee.avail_in = UInt32(clamping: available)
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = UInt32(output.count)
                let given = Int(stream.pointee.avail_in)
                let result = CZlib.inflate(stream, Z_NO_FLUSH)
                return (
                    given - Int(stream.pointee.avail_in), output.count - Int(stream.pointee.avail_out), result
                )
            }
        }
    }
}
