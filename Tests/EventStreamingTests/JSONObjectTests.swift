import Domain
import EventStreaming
import Foundation
import Testing

@Suite struct JSONObjectTests {
    @Test(arguments: [
        "", "plain", "\"quoted\" \\ back/slash", "line\nfeed\r\ttab", "\u{8}\u{c}\u{1b}\u{7f}", "\u{2028}\u{2029}",
        "e\u{301}é",
        "👩‍💻", "\u{fffd}\u{ffff}\u{10ffff}", String(UnicodeScalarView((0..<0x20).compactMap(Unicode.Scalar.init))),
    ])
    func writesAnyTextSoThatAnyParserReadsItBack(_ text: String) throws {
        let json = JSONText.object { object in
            object.add(text, text)
            object.add("list", [text, text])
        }
        let read = try #require(try JSONSerialization.jsonObject(with: Data(json.text.utf8)) as? [String: Any])
        #expect((read[text] as? String).map { Array($0.utf8) } == Array(text.utf8))
        #expect((read["list"] as? [String])?.map { Array($0.utf8) } == [Array(text.utf8), Array(text.utf8)])
        #expect(!json.text.utf8.contains { $0 < 0x20 })
    }

    @Test func writesBytesInBase64AsFoundationDoes() {
        let values = (0..<200).map { count in (0..<count).map { UInt8(truncatingIfNeeded: $0 * 73 + count * 151) } }
        let json = JSONText.object { object in
            object.add("one", base64: values[5])
            object.add("all", base64: values)
            object.add("none", base64: [] as [[UInt8]])
        }
        let all = values.map { "\"\(Data($0).base64EncodedString())\"" }.joined(separator: ",")
        #expect(json.text == #"{"one":"\#(Data(values[5]).base64EncodedString())","all":[\#(all)],"none":[]}"#)
    }

    @Test func writesMembersInOrderAndLeavesOutWhatIsNotThere() {
        let json = JSONText.object { object in
            object.add("z", 1)
            object.add("none", nil as String?)
            object.add("none", nil as UInt64?)
            object.add("a", true)
            object.add("big", UInt64.max)
            object.add("negative", Int64.min)
            object.add("time", Timestamp(microseconds: 0))
            object.addNull("null")
            object.add("empty", [] as [JSONText])
            object.add("list", [JSONText(verified: "1"), JSONText(string: "x")])
            object.add("object", JSONObject())
        }
        #expect(
            json.text == #"{"z":1,"a":true,"big":18446744073709551615,"negative":-9223372036854775808,"#
                + #""time":"1970-01-01T00:00:00.000000Z","null":null,"empty":[],"list":[1,"x"],"object":{}}"#)
    }
}

private typealias UnicodeScalarView = String.UnicodeScalarView
