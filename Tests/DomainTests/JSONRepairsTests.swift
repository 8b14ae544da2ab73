import Domain
import Testing

/// JSON that other languages write is read, and what UTF-8 cannot hold stays visible.
@Suite struct JSONRepairsTests {
    private func repaired(_ bytes: [UInt8], _ repairs: JSONRepairs = .all) throws -> String {
        try JSONValue(parsing: bytes, repairs).text.text
    }

    @Test(arguments: [
        (#""\ud83d""#, #""\\ud83d""#), (#""\udc00\ud83dx""#, #""\\udc00\\ud83dx""#),
        (#""\ud83d\u0041""#, #""\\ud83dA""#), (#""\ud83d\ud83d\ude80""#, "\"\\\\ud83d🚀\""),
        (#"{"\udead":1}"#, #"{"\\udead":1}"#),
    ])
    func halfOfASurrogatePairBecomesItsEscape(text: String, expected: String) throws {
        #expect(try repaired(Array(text.utf8), .surrogates) == expected)
        #expect(throws: JSONError.self) { try JSONValue(parsing: Array(text.utf8)) }
    }

    @Test(arguments: [
        ("[NaN,Infinity,-Infinity,-1]", #"["NaN","Infinity","-Infinity",-1]"#),
        (#"{"a":1,"b":2,"a":3}"#, #"{"a#1":1,"b":2,"a":3}"#), ("\"a\u{1}\n\"", #""a\u0001\n""#),
        ("\u{feff}1", "1"),
    ])
    func otherWritersJSONIsRead(text: String, expected: String) throws {
        #expect(try repaired(Array(text.utf8)) == expected)
        #expect(throws: JSONError.self) { try JSONValue(parsing: Array(text.utf8), .surrogates) }
    }

    @Test func bytesThatAreNoUTF8AreWrittenOut() {
        #expect(JSONRepairs.text(ofBytes: Array("é🚀\0".utf8)) == "é🚀\0")
        #expect(JSONRepairs.text(ofBytes: [0x61, 0xff, 0xc3, 0xa9, 0xc3]) == #"a\xffé\xc3"#)
        #expect(
            JSONRepairs.text(ofBytes: [0xed, 0xa0, 0x80, 0xf4, 0x90, 0x80, 0x80]) == #"\xed\xa0\x80\xf4\x90\x80\x80"#)
    }

    @Test(arguments: ["", "{", "hello", "{} {}", "[1,]", "{\"a\"}", "nan", "[NaN"])
    func textThatIsNoJSONIsStillRefused(text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: Array(text.utf8), .all) }
    }

    @Test func nestingThatIsTooDeepBecomesText() throws {
        let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        var value = try JSONValue(parsing: Array(deep.utf8), .all)
        var depth = 0
        while case .array(let values) = value, let first = values.first { (value, depth) = (first, depth + 1) }
        #expect(depth == JSONValue.depthMax && value.string?.utf8.count == 2 * (100_000 - JSONValue.depthMax))
    }

    /// Cut anywhere, the beginning of a text is whole JSON again, and says nothing that the text did not.
    @Test func everyBeginningOfATextIsClosed() throws {
        let text = #" {"a": [1, {"b\"c": "x\\y\u00e9\ud83d\ude80é🚀"}, true, null], "d": {"e": -1.5e3}, "f": "g"} "#
        let bytes = Array(text.utf8)
        let whole = try JSONValue(parsing: bytes)
        #expect(try JSONValue(parsing: bytes.closedJSON) == whole)
        let start = try #require(bytes.firstIndex(of: UInt8(ascii: "{"))) + 1
        for count in start..<bytes.count {
            let value = try JSONValue(parsing: Array(bytes[..<count]).closedJSON, .all)
            #expect(value["d"] == nil || value["a"] == whole["a"], "\(count)")
            if let text = value["f"]?.string { #expect("g".hasPrefix(text)) }
        }
    }

    @Test func namesThatAreTakenAreNotGivenAgain() throws {
        #expect(try repaired(Array(#"{"a#1":0,"a":1,"a":2,"a":3}"#.utf8)) == #"{"a#1":0,"a#2":1,"a#3":2,"a":3}"#)
    }
}
