import EventStore
import Foundation
import Testing

/// `schemas/events.proto` says of every field whether it is personal, and the table that seals records agrees.
@Suite struct PersonalFieldsTests {
    private struct Field {
        let name: String
        let type: String
        let number: UInt64
        let mark: String?
    }

    private let messages: [String: [Field]]

    init() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../schemas/events.proto")
        let text = try String(contentsOf: file, encoding: .utf8)
        var messages: [String: [Field]] = [:]
        var message: String?
        for line in text.split(separator: "\n") {
            if let name = line.prefixMatch(of: /(message|enum) (\w+)/) {
                message = name.1 == "message" ? String(name.2) : nil
            } else if let message,
                let field = line.wholeMatch(of: /\s+(?:optional |repeated )?([\w.]+) (\w+) = (\d+);(.*)/),
                let number = UInt64(field.3)
            {
                let mark = field.4.firstMatch(of: /\/\/ (Personal|Plain)\./).map { String($0.1) }
                messages[message, default: []].append(
                    Field(name: String(field.2), type: String(field.1), number: number, mark: mark))
            }
        }
        self.messages = messages
        #expect(messages.count > 50)
    }

    @Test func everyFieldSaysWhetherItIsPersonal() throws {
        for (message, fields) in messages {
            for field in fields where !(message == "Envelope" && field.number >= 32) {
                #expect(field.mark != nil, "\(message).\(field.name) says neither Personal nor Plain")
            }
        }
    }

    @Test func theTableSealsExactlyWhatTheSchemaMarks() throws {
        let envelope = try #require(messages["Envelope"])
        var count = 0
        for payload in envelope {
            for field in messages[payload.type] ?? [] {
                let rule = PersonalFields.rule(payload.number, field.number)
                let path = "\(payload.type).\(field.name)"
                #expect(rule.isPersonal == (field.mark == "Personal"), "\(path)")
                guard payload.number == 8 || payload.number >= 32 else { continue }
                if rule.isPersonal { count += 1 }
                let inner = messages[field.type] ?? []
                for nested in inner {
                    let isSealed = PersonalFields.rule(payload.number, field.number, nested.number).isPersonal
                    #expect(isSealed == (nested.mark == "Personal"), "\(path).\(nested.name)")
                    // Two levels are what a record's walk reaches.
                    #expect(messages[nested.type]?.contains { $0.mark == "Personal" } != true, "\(path).\(nested.name)")
                }
                if inner.contains(where: { $0.mark == "Personal" }) { #expect(rule.isMessage, "\(path)") }
            }
        }
        #expect(count > 25)
    }
}
