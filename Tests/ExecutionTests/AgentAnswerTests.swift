import Domain
import Execution
import Testing

/// Every answer of an agent has a value, whatever its bytes are.
@Suite struct AgentAnswerTests {
    private func text(_ bytes: [UInt8], cut: Int = 0) -> String? {
        AgentAnswer.value(of: bytes, bytesCut: cut)?.text.text
    }

    @Test func exactJSONIsLeftAlone() {
        #expect(text(Array(#"{"b":1.50,"a":"\u0000"}"#.utf8)) == #"{"b":1.50,"a":"\u0000"}"#)
        #expect(text([]) == nil)
    }

    @Test func whatIsNoJSONIsTheMemberResponse() {
        #expect(text(Array("done".utf8)) == #"{"response":"done"}"#)
        #expect(text([0xff]) == #"{"response":"\\xff"}"#)
        #expect(text(Array("[NaN]".utf8)) == #"["NaN"]"#)
    }

    @Test func aCutAnswerKeepsItsMembersAndSaysHowMuchIsMissing() {
        let note = #""answer_note":"7 of 19 bytes were cut: the answer exceeds the limit""#
        #expect(text(Array(#"{"a":"xyz12"#.utf8) + [0x33], cut: 7) == #"{"a":"xyz123",\#(note)}"#)
        #expect(text(Array(#"["a","b","c"#.utf8) + [0x64], cut: 8)?.hasPrefix(#"{"response":["a","b","cd"],"#) == true)
        #expect(text(Array("plain".utf8), cut: 1)?.hasPrefix(#"{"response":"plain","answer_note":"1 of 6"#) == true)
    }

    @Test func escapesDoNotMakeAnAnswerManyTimesLarger() throws {
        let bytes = [UInt8](repeating: 0xff, count: 100_000)
        let text = try #require(self.text(bytes))
        #expect(text.utf8.count <= 200_000 && text.contains("of 100000 bytes were cut"))
    }
}
