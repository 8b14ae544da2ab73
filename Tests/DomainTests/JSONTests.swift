import Domain
import Testing

/// What a client sent comes back exactly, and what two readers could read differently is refused.
@Suite struct JSONTests {
    @Test(arguments: [
        "null", "true", "false", "0", "-0", "12.50", "1e300", "-1.5E-7", "12345678901234567890123", #""""#,
        #""a \"b\" \\ / ü 🚀""#, "[]", "[1,[2,[3]]]", "{}", #"{"b":1,"a":{"c":[null]}}"#, "\"\u{2028}\u{7f}\"",
        #""\u0001\n\r\t""#, #"{"a\u0000":"\u0000b"}"#,
    ])
    func compactTextComesBackByteForByte(text: String) throws {
        #expect(try JSONValue(parsing: Array(text.utf8)).text.text == text)
    }

    @Test(arguments: [
        (" { \"a\" : [ 1 , 2 ] } \n", #"{"a":[1,2]}"#), (#""\u00e9\ud83d\ude80\/""#, "\"é🚀/\""),
        (#""\b\f\u001F""#, #""\u0008\u000c\u001f""#),
    ])
    func otherSpellingsBecomeTheOneSpelling(text: String, canonical: String) throws {
        #expect(try JSONValue(parsing: Array(text.utf8)).text.text == canonical)
    }

    @Test(arguments: [
        "", " ", "nul", "tru", "+1", "01", "1.", ".5", "1e", "--1", "0x1", "NaN", "Infinity", "'a'", "\"a", "\"\t\"",
        #""\x""#, #""\u12""#, #""\ud800""#, #""\ud800\u0041""#, #""\udc00""#, "[1,]", "[1", "[,1]",
        "{\"a\"}",
        "{\"a\":}", "{\"a\":1,}", "{a:1}", #"{"a":1,"a":2}"#, #"{"a":1,"\u0061":2}"#, "1 2", "[] []", "// a\n1",
        "\u{feff}1",
    ])
    func textThatIsNotOneUnambiguousValueIsRefused(text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: Array(text.utf8)) }
    }

    @Test(
        arguments: [[0x22, 0xff, 0x22], [0x22, 0xc0, 0xaf, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], [0x00]] as [[UInt8]])
    func bytesThatAreNoUTF8AreRefused(bytes: [UInt8]) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: bytes) }
    }

    @Test func nestingIsBounded() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        _ = try JSONValue(parsing: nested(JSONValue.depthMax))
        #expect(throws: JSONError.self) { try JSONValue(parsing: nested(JSONValue.depthMax + 1)) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: nested(1_000_000)) }
    }

    /// One character may be any number of combining ones.
    @Test func aRefusalDoesNotRepeatWhatWasSent() {
        let name = "e" + String(repeating: "\u{301}", count: 10_000)
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: Array("{\"\(name)\"}".utf8)) }
        #expect(error.map { $0.message.utf8.count < 400 } == true)
    }
}
