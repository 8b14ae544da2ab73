import Authentication
import Foundation
import Testing

/// Bytes have one spelling in base64url, and come back from it.
@Suite struct Base64URLTests {
    @Test(arguments: 0..<70 as Range<UInt8>)
    func bytesComeBackFromTheirOnlySpelling(count: UInt8) {
        let bytes = (0..<count).map { $0 &* 53 &+ count &* 11 }
        let text = Base64URL.encode(bytes)
        let foundations = Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
        #expect(text == foundations.replacing("=", with: ""))
        #expect(Base64URL.decode(text.utf8) == bytes)
        #expect(Base64URL.decode((text + "=").utf8) == nil && Base64URL.decode((text + "A").utf8) != bytes)
    }
}
