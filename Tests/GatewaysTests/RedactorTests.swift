import Domain
import Foundation
import Gateways
import Testing

/// A secret is found in each of its forms, wherever a stream is cut, and nothing else is changed.
@Suite struct RedactorTests {
    private static let secret = "s/e+c&r\"e t%41~"
    /// Beyond ASCII: in UTF-8 and beyond the first plane.
    private static let foreign = "clé/ü€🔑~+k"
    private static let forms: [String] = {
        let encoded = PercentEncoding.encode(secret)
        let base64 = (0..<3).map { Data((String(repeating: "x", count: $0) + secret).utf8).base64EncodedString() }
        return [
            secret, encoded, encoded.lowercased(), PercentEncoding.encode(encoded),
            secret.replacing("%", with: "%25").replacing(" ", with: "+"), "s\\/e+c\\u0026r\\\"e t%41~",
            "s/e+c&amp;r&quot;e t%41~", "s/e&#43;c&#x26;r&#34;e t%41~",
            "s/e\\x2bc&#38;r&#x0022;e&#32;t&percnt;41~", "s%2Fe%2bc%2526r%5C%22e t%41~",
            "\\u0073\\U0000002fe=2Bc&amp;r&quot;e t%41~",
            "s/e+c\\u0026amp;r\\u0026quot;e%20t%41~", "s%2Fe%2Bc%26amp%3Br%26quot%3Be+t%2541~",
            hexText(secret), hexText(secret).uppercased(), hexText(secret, ":"), hexText(secret, " "),
            inBase64(hexText(secret)), inBase64("<" + hexText(secret).uppercased()), hexText(inBase64(secret)),
            inBase64(inBase64(secret)), inBase64("a" + inBase64("bc" + secret)),
            inBase64("ab" + inBase64("c" + secret)),
            inBase64("?k=" + encoded), inBase64(#"{"k":"s/e+c&r\"e t%41~"}"#), utf16(secret), inBase64(utf16(secret)),
            lines(inBase64(String(repeating: "?", count: 40) + secret + "!"), "\r\n"),
            lines(inBase64(String(repeating: "?", count: 41) + secret + "!"), "\n "),
            lines(inBase64(String(repeating: "?", count: 42) + secret + "!"), "\\r\\n"),
            lines(inBase64(String(repeating: "?", count: 40) + inBase64(secret)), "%0D%0A"),
        ] + base64 + base64.map { $0.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "") }
    }()

    @Test(arguments: forms)
    func findsTheSecretInEveryForm(form: String) {
        let redacted = Redactor([Self.secret]).redact("a \(form) b")
        #expect(redacted.hasPrefix("a ") && redacted.hasSuffix(" b") && redacted.contains("REDACTED"), "\(redacted)")
        #expect(redacted.utf8.count < form.utf8.count + 8 && !redacted.contains(form.dropFirst(4)), "\(redacted)")
    }

    @Test(arguments: [
        foreign, PercentEncoding.encode(foreign), "cl\\u00e9/\\u00fc\\u20AC\\ud83d\\udd11~+k",
        "cl\\\\u00e9/\\\\u00fc\\\\u20ac\\\\uD83D\\\\uDD11~+k", "cl&eacute;/&uuml;&#8364;&#x1F511;~+k",
        "cl%u00E9/%u00fc%u20AC\\u{1f511}~+k", "cl\\303\\251/\\303\\274\\342\\202\\254\\360\\237\\224\\221~+k",
        "cl=C3=A9/=C3=BC=E2=82=AC=F0=9F=94=91~+k", "cl\\U000000e9/\\xc3\\xbc\\u20ac\\U0001f511~+k",
        "cl\\u00c3\\u00a9/\\u00c3\\u00bc\\u00e2\\u0082\\u00ac\\u00f0\\u009f\\u0094\\u0091~+k",
        inBase64(foreign).replacing("=", with: ""),
        hexText(foreign),
    ])
    func findsASecretBeyondASCIIInEveryForm(form: String) {
        #expect(Redactor([Self.foreign]).redact("a \(form) b") == "a REDACTED b")
    }

    /// A credential of the characters of tokens may stand in several lines, as it is.
    @Test(
        arguments: [
            "planted.token-0123456789_abcdefghijklmnopqrstuvwxyz~", "AKIA0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456",
        ],
        ["\n", "\r\n", "\r", "\n  ", "=\n", "=\r\n", "\\n", "\\r\\n", "%0A", "&#10;"])
    func findsASecretThatIsBrokenOverLines(secret: String, lineBreak: String) {
        let redactor = Redactor([secret])
        for first in 1..<secret.count - 1 {
            for width in [secret.count, 16] {
                let rest = Array(secret.dropFirst(first))
                let broken =
                    ([String(secret.prefix(first))]
                    + stride(from: 0, to: rest.count, by: width).map {
                        String(rest[$0..<min($0 + width, rest.count)])
                    }).joined(separator: lineBreak)
                let text = "key: 0123456789abcdef" + broken + " b"
                #expect(redactor.redact(text) == "key: 0123456789abcdefREDACTED b", "\(text)")
                var stream = RedactionStream(redactor)
                let given = text.utf8.flatMap { stream.take([$0]) } + stream.finish()
                #expect(String(decoding: given, as: UTF8.self) == redactor.redact(text), "\(text)")
            }
        }
    }

    @Test(arguments: ["ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHIJKLMNOPQRSTUV"])
    func findsTheSecretInBase32WhereverItStands(alphabet: String) {
        for before in 0..<6 {
            for after in 0..<6 {
                let text = String(repeating: "~", count: before) + Self.secret + String(repeating: "~", count: after)
                let digits = Self.inBase32(Array(text.utf8), Array(alphabet))
                for spelled in [digits, digits.lowercased(), Self.lines(digits, "\n"), digits.replacing("=", with: "")]
                {
                    let redacted = Redactor([Self.secret]).redact("a \(spelled) b")
                    #expect(redacted.contains("REDACTED") && redacted.count < 50, "\(redacted)")
                }
            }
        }
    }

    /// RFC 4648, section 6, a bit at a time.
    private static func inBase32(_ bytes: [UInt8], _ alphabet: [Character]) -> String {
        let bits = bytes.flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 } }
        let digits = stride(from: 0, to: bits.count, by: 5).map { start in
            alphabet[(0..<5).reduce(0) { $0 << 1 | (start + $1 < bits.count ? Int(bits[start + $1]) : 0) }]
        }
        return String(digits) + String(repeating: "=", count: (8 - digits.count % 8) % 8)
    }

    @Test func aLongRunOfEscapesIsReadInTimeThatTheLengthsBound() {
        let slashes = String(repeating: #"\"#, count: 24)
        let redactor = Redactor(["k" + slashes + "%%%&&&&=end"])
        #expect(redactor.redact("k" + slashes + slashes + "%%%&&&&=end") == "REDACTED")
        let long = String(repeating: "k" + slashes + "%25%25&amp;", count: 200)
        #expect(redactor.redact(long) == long)
    }

    @Test func noNameOfAHeaderCarriesTheSecretInWhateverCase() {
        let headers = [(name: "x-SECRET-word-1", value: "a"), (name: "X-Other", value: "the Secret-Word")]
        let redacted = Redactor(["Secret-Word"]).redact(headers: headers)
        #expect(redacted.map(\.name) == ["X-Other"] && redacted.map(\.value) == ["the REDACTED"])
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

    /// The pieces of a stream tell nothing of how much of a guess is right.
    @Test(arguments: ["", "x", "data: ", "\n", "{}\n"])
    func aRightGuessComesOutInThePiecesOfAWrongOne(between: String) {
        func pieces(_ guess: String) -> [Int] {
            var stream = RedactionStream(Redactor([Self.secret]))
            let text = (0..<400).map { _ in guess + between }.joined()
            return text.utf8.map { stream.take([$0]).count } + [stream.finish().count]
        }
        for count in 1..<Self.secret.utf8.count {
            let right = String(Self.secret.prefix(count))
            #expect(pieces(right) == pieces(right.dropLast() + "#"), "\(right)")
        }
    }

    @Test func whatIsCompleteGoesOnAtTheEndOfItsLineOrMessage() {
        var stream = RedactionStream(Redactor([Self.secret]))
        #expect(stream.take(Array("data: 1\n\n".utf8)) == Array("data: 1\n\n".utf8))
        #expect(stream.take(Array("data: s/e".utf8)) == [])
        #expect(stream.take(Array(" x\n: ".utf8)) == Array("data: s/e x\n".utf8))
        #expect(stream.finish() == Array(": ".utf8))
        stream = RedactionStream(Redactor([Self.secret]), contentType: "application/vnd.amazon.eventstream")
        let message: [UInt8] = [0, 0, 0, 20] + [UInt8](repeating: 7, count: 16)
        #expect(stream.take(Array(message.prefix(3))) == [])
        #expect(stream.take(message.dropFirst(3) + message + [0]) == message + message)
        #expect(stream.take(Array(message.dropFirst())) == message)
    }

    private static func inBase64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    private static func hexText(_ text: String, _ separator: String = "") -> String {
        text.utf8.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined(separator: separator)
    }

    /// As little-endian UTF-16 is when it is taken for UTF-8.
    private static func utf16(_ text: String) -> String { text.map { "\($0)\0" }.joined() }

    /// Lines of 60 digits: the secret is on both sides of a break.
    private static func lines(_ digits: String, _ lineBreak: String) -> String {
        digits.prefix(60) + lineBreak + digits.dropFirst(60)
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
