import HTTPAPI
import NIOCore
import Testing

@Suite struct ResponseChunksTests {
    @Test(arguments: [0, 1, ResponseChunks.bytesMax, ResponseChunks.bytesMax + 1, 5 * ResponseChunks.bytesMax - 1])
    func partsAreTheWholeInOrderAndNoneIsLargerThanTheMaximum(byteCount: Int) {
        let bytes = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 / 251) }
        let parts = ResponseChunks.split(ByteBuffer(bytes: bytes))
        #expect(parts.flatMap { Array($0.readableBytesView) } == bytes)
        #expect(parts.allSatisfy { (1...ResponseChunks.bytesMax).contains($0.readableBytes) })
        #expect(parts.count == (byteCount + ResponseChunks.bytesMax - 1) / ResponseChunks.bytesMax)
    }

    /// The character has three bytes, so that parts end in the middle of it.
    @Test(arguments: [0, 1, ResponseChunks.bytesMax, 3 * ResponseChunks.bytesMax])
    func partsOfATextAreItsBytes(characterCount: Int) {
        let text = String(repeating: "€", count: characterCount)
        let parts = Array(ResponseChunks.split(text))
        #expect(parts.flatMap { Array($0.readableBytesView) } == Array(text.utf8))
        #expect(parts.allSatisfy { (1...ResponseChunks.bytesMax).contains($0.readableBytes) })
    }
}
