import Execution
import Foundation
import Testing

@Suite struct AgentOutputTests {
    private let directory = FileManager.default.temporaryDirectory.appendingPathComponent("output-\(UUID())").path

    private func lines(_ range: Range<Int>) -> [UInt8] { Array(range.map { "line \($0)\n" }.joined().utf8) }

    @Test func givesOutWhatCameInOrder() async {
        let output = AgentOutput(directory: directory, fileBytesMax: 1000)
        await output.append(Array("one\ntw".utf8), redacting: { $0 })
        let first = await output.read(after: 0, bytesMax: 100)
        #expect(first.text == "one\n")
        await output.append(Array("o\n".utf8), redacting: { $0 })
        #expect(await output.read(after: first.next, bytesMax: 100).text == "two\n")
        await output.remove()
    }

    @Test func keepsTheNewestAndStaysBounded() async {
        let output = AgentOutput(directory: directory, fileBytesMax: 1000)
        for start in stride(from: 0, to: 10_000, by: 10) {
            await output.append(lines(start..<start + 10), redacting: { $0 })
        }
        let page = await output.read(after: 0, bytesMax: .max)
        #expect(page.text.hasSuffix("line 9999\n") && page.text.utf8.count < 2500)
        let reopened = AgentOutput(directory: directory, fileBytesMax: 1000)
        #expect(await reopened.read(after: .max, bytesMax: 100).next == page.next)
        await reopened.append(lines(0..<1), redacting: { $0 })
        #expect(await reopened.read(after: page.next, bytesMax: 100).text == "line 0\n")
        await output.remove()
    }

    @Test(arguments: [0, 1, 2, 99, 100, 101, UInt64.max])
    func beginsWithTheLastLinesThatAreKept(count: UInt64) async {
        let output = AgentOutput(directory: directory, fileBytesMax: 1000)
        #expect(await output.offset(ofLast: count) == 0)
        for number in 0..<300 { await output.append(lines(number..<number + 1), redacting: { $0 }) }
        let whole = await output.read(after: 0, bytesMax: .max)
        let kept = whole.text.split(separator: "\n")
        #expect(kept.count > 101 && kept.count < 300, "the beginning is not kept any more")
        let page = await output.read(after: await output.offset(ofLast: count), bytesMax: .max)
        #expect(page.text.split(separator: "\n") == kept.suffix(Int(clamping: count)))
        #expect(page.next == whole.next)
        await output.remove()
    }

    @Test func masksSecretsAlsoWhenTheyComeInParts() async {
        let output = AgentOutput(directory: directory, fileBytesMax: 1000)
        let redaction: AgentCatalog.Redaction = { $0.replacing("s3cr3t-value".utf8, with: "***".utf8) }
        await output.append(Array("key=s3cr3t".utf8), redacting: redaction)
        await output.append(Array("-value;\n".utf8), redacting: redaction)
        #expect(await output.read(after: 0, bytesMax: 100).text == "key=***;\n")
        await output.remove()
    }

    @Test func masksSecretsWhereEncodedTextIsWrapped() async {
        let output = AgentOutput(directory: directory, fileBytesMax: 1000)
        let (head, tail) = (String(repeating: "QUJD", count: 19), "RA==")
        let redaction: AgentCatalog.Redaction = { $0.replacing("\(head)\n\(tail)".utf8, with: "***".utf8) }
        await output.append(Array("before\n\(head)\n".utf8), redacting: redaction)
        await output.append(Array("\(tail)\nafter\n".utf8), redacting: redaction)
        #expect(await output.read(after: 0, bytesMax: 1000).text == "before\n***\nafter\n")
        await output.append(Array("\(head)\n".utf8), redacting: redaction)
        await output.finishLine(redacting: redaction)
        #expect(await output.read(after: 0, bytesMax: 1000).text == "before\n***\nafter\n\(head)\n")
        await output.remove()
    }

    @Test func masksASecretAtTheEndOfALongLine() async {
        let output = AgentOutput(directory: directory, fileBytesMax: 100_000)
        let redaction: AgentCatalog.Redaction = { $0.replacing("s3cr3t-value".utf8, with: "***".utf8) }
        let filling = String(repeating: "x ", count: AgentOutput.lineBytesMax / 2 - 3)
        await output.append(Array("\(filling)s3cr3t-value and more\n".utf8), redacting: redaction)
        #expect(await output.read(after: 0, bytesMax: 100_000).text == filling + "*** an\n")
        await output.remove()
    }

    @Test func wakesWhoFollows() async {
        let output = AgentOutput(directory: directory, fileBytesMax: 1000)
        async let page = output.follow(after: 0, bytesMax: 100)
        await output.append(Array("news\n".utf8), redacting: { $0 })
        #expect(await page.text == "news\n")
        await output.remove()
    }

    @Test func endsForWhoFollowsWhenAllIsDeletedAndKeepsNothingAfterwards() async {
        let output = AgentOutput(directory: directory, fileBytesMax: 1000)
        async let page = output.follow(after: 0, bytesMax: 100)
        await output.remove()
        #expect(await page.text.isEmpty)
        await output.append(Array("too late\n".utf8), redacting: { $0 })
        #expect(!FileManager.default.fileExists(atPath: directory))
    }
}
