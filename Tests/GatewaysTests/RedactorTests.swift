import Domain
import Foundation
import Gateways
import Testing

/// A secret is found in each of its forms, wherever a stream is cut, and nothing else is changed.
@Suite struct RedactorTests {
    private static let secret = "s/e+c&r\"e t%41~"
    private static let forms: [String] = {
        let encoded = PercentEncoding.encode(secret)
        let base64 = (0..<3).map { Data((String(repeating: "x", count: $0) + secret).utf8).base64EncodedString() }
        return [
            secret, encoded, encoded.lowercased(), PercentEncoding.encode(encoded),
            secret.replacing("%", with: "%25").replacing(" ", with: "+"), "s\\/e+c\\u0026r\\\"e t%41~",
            "s/e+c&amp;r&quot;e t%41~", "s/e&#43;c&#x26;r&#34;e t%41~",
        ] + base64 + base64.map { $0.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "") }
    }()

    @Test(arguments: forms)
    func findsTheSecretInEveryForm(form: String) {
        let redacted = Redactor([Self.secret]).redact("a \(form) b")
        #expect(redacted.hasPrefix("a ") && redacted.hasSuffix(" b") && redacted.contains("REDACTED"), "\(redacted)")
        #expect(redacted.utf8.count < form.utf8.count + 8 && !redacted.contains(form.dropFirst(4)), "\(redacted)")
    }

    @Test(arguments: [
        "", "abc", "s/e+c&r\"e t%41", "/e+c&r\"e t%41~", "% %2 %2F \\ \\u \\u00 & &amp &#", "REDACTED", "s%2Fe+c",
    ])
    func leavesEverythingElse(text: String) {
        #expect(Redactor([Self.secret, "abc"]).redact(text) == text)
    }

    @Test func prefersTheLongestOfSecretsThatBeginAlike() {
        let redactor = Redactor(["abcd", "abcdef", "cdefgh"])
        #expect(redactor.redact("abcdef") == "REDACTED")
        #expect(redactor.redact("abcdex") == "REDACTEDex")
        #expect(redactor.redact("abcdefgh") == "REDACTEDgh")
    }

    /// Any cutting of a stream gives what the whole gives.
    @Test(arguments: 0..<200 as Range<UInt64>)
    func noChunkingOfAStreamLetsTheSecretThrough(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let redactor = Redactor([Self.secret, "abab", "ababac"])
        let words =
            Self.forms + Self.forms.map { String($0.dropLast(2)) } + ["ab", "abab", "abac", "%", "\\", "&", " "]
        let whole = (0..<20).flatMap { _ in Array((words.randomElement(using: &random) ?? "").utf8) }
        var (stream, given, index) = (RedactionStream(redactor), [UInt8](), 0)
        while index < whole.count {
            let end = min(whole.count, index + Int.random(in: 1...12, using: &random))
            given += stream.take(Array(whole[index..<end]))
            index = end
        }
        given += stream.finish()
        #expect(given == redactor.redact(whole))
        let text = String(decoding: given, as: UTF8.self)
        #expect(Self.forms.allSatisfy { !text.contains($0) })
    }

    @Test func holdsBackOnlyWhatMayBecomeTheSecret() {
        var stream = RedactionStream(Redactor([Self.secret]))
        #expect(stream.take(Array("data: 1\n\n".utf8)) == Array("data: 1\n\n".utf8))
        #expect(stream.take(Array("data: s/e".utf8)) == Array("data: ".utf8))
        #expect(stream.take(Array(" x".utf8)) == Array("s/e x".utf8))
        #expect(stream.take(Array("s%2".utf8)) == [])
        #expect(stream.finish() == Array("s%2".utf8))
    }
}

/// A small generator with a seed (Steele, Lea and Flood).
private struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
