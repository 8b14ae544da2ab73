import Foundation
import Gateways
import Testing

@Suite struct KeyRedactorTests {
    private let key = "ra_agent_" + String(repeating: "0a1b2c3d", count: 8)

    private func redacted(_ text: String) -> String? { KeyRedactor(key).redacted(text) }

    @Test func leavesTextsWithoutTheKeyAlone() {
        for text in [
            "", "hello", "50 % of ra_agent_", String(key.dropLast()), "\\u0072a_agent_", "%", "\\", "\\u00", "%7",
            key.uppercased(),
        ] {
            #expect(redacted(text) == nil, "\(text)")
        }
    }

    @Test func redactsEveryOccurrence() {
        #expect(redacted("a \(key) b \(key)") == "a -agent-key- b -agent-key-")
        #expect(
            KeyRedactor(key).redacted([0xff] + Array(key.utf8) + [0xfe]) == [0xff] + Array("-agent-key-".utf8) + [0xfe])
    }

    @Test func redactsTheKeyWithAnyOfItsCharactersEscaped() {
        let percent = key.utf8.map { "%" + String($0, radix: 16) }.joined()
        let json = key.utf8.map { "\\u00" + String($0, radix: 16).uppercased() }.joined()
        let mixed = key.utf8.enumerated().map { $0 % 3 == 0 ? "%" + String($1, radix: 16) : String(UnicodeScalar($1)) }
        for text in [percent, percent.uppercased(), json, mixed.joined()] {
            #expect(redacted("x=\(text)&y") == "x=-agent-key-&y", "\(text)")
        }
    }

    @Test(arguments: 0..<7) func redactsTheKeyInBase64OfAnyTextAroundIt(before count: Int) throws {
        let text = String(repeating: "?", count: count) + key + String(repeating: ">", count: count)
        let encoded = Data(text.utf8).base64EncodedString()
        for form in [encoded, encoded.replacing("+", with: "-").replacing("/", with: "_")] {
            let left = try #require(redacted("Basic \(form)"))
            #expect(left.hasPrefix("Basic ") && left.contains("-agent-key-") && left.utf8.count < 40)
        }
    }

    @Test func knowsBothAlphabetsOfBase64() throws {
        let redactor = KeyRedactor("????>>>>????>>>>")
        let encoded = Data("????>>>>????>>>>".utf8).base64EncodedString()
        #expect(encoded.contains("/") && encoded.contains("+"))
        #expect(redactor.redacted(encoded) != nil)
        #expect(redactor.redacted(encoded.replacing("+", with: "-").replacing("/", with: "_")) != nil)
    }

    @Test func redactsTheKeyInEverySpellingThatTheAnswersOfToolsAreSearchedFor() {
        let twice = key.utf8.map { "%25" + String($0, radix: 16) }.joined()
        let thrice = key.utf8.map { "%2525" + String($0, radix: 16) }.joined()
        let nested = key.utf8.map { "\\\\u00" + String($0, radix: 16) }.joined()
        let entities = key.utf8.map { "&#\($0);" }.joined()
        for text in [twice, thrice, nested, entities] {
            #expect(redacted("x=\(text)&y") == "x=-agent-key-&y", "\(text)")
        }
    }
}
