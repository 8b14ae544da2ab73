package import Domain

/// Plain English turned into rules by fixed words, the same text always into the same rules.
///
/// A statement is a line, or a part of one up to `;` or a full stop. One with a word that is not known makes no rule:
/// a guess would be worse than a question.
package struct PolicyTranslation: Hashable, Sendable {
    package static let statementsMax = 200

    package struct Understood: Hashable, Sendable {
        package let statement: String
        /// The rules that it became, in words.
        package let meaning: String
    }

    package struct Unmatched: Hashable, Sendable {
        package let statement: String
        package let reason: String
    }

    package private(set) var rules: [JSONValue] = []
    package private(set) var approvals: [JSONValue] = []
    package private(set) var understood: [Understood] = []
    package private(set) var unmatched: [Unmatched] = []

    /// - Parameter tools: the base URLs of the tools that the text may name, by name.
    package init(_ text: String, tools: [String: String] = [:]) {
        for statement in Self.statements(text) {
            guard understood.count + unmatched.count < Self.statementsMax else {
                unmatched.append(
                    Unmatched(statement: statement, reason: "there are more than \(Self.statementsMax) statements"))
                return
            }
            do throws(NotUnderstood) {
                add(try PolicyStatement(statement, tools: tools), statement)
            } catch {
                unmatched.append(Unmatched(statement: statement, reason: error.reason))
            }
        }
    }

    private mutating func add(_ parsed: PolicyStatement, _ statement: String) {
        rules += parsed.rules.map(\.json)
        if let approval = parsed.approval(name: "approval-\(approvals.count + 1)") { approvals.append(approval) }
        understood.append(
            Understood(statement: statement, meaning: parsed.rules.map(\.description).joined(separator: "; ")))
    }

    /// Full stops end a statement where a blank follows, so that those of hosts do not.
    private static func statements(_ text: String) -> [String] {
        var statements = [""]
        for word in text.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" }) {
            for (index, part) in word.split(
                omittingEmptySubsequences: false,
                whereSeparator: {
                    $0 == "\n" || $0 == "\r\n" || $0 == ";"
                }
            ).enumerated() {
                if index > 0 { statements.append("") }
                let isEnd = part.hasSuffix(".")
                let piece = isEnd ? part.dropLast() : part
                if !piece.isEmpty { statements[statements.count - 1] += (statements.last == "" ? "" : " ") + piece }
                if isEnd { statements.append("") }
            }
        }
        return statements.filter { statement in statement.contains { $0.isLetter } }
    }
}

/// Why a statement became no rule.
struct NotUnderstood: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

extension PolicyRule {
    /// The rule as a document has it.
    package var json: JSONValue {
        func texts(_ texts: [String]) -> JSONValue { .array(texts.map(JSONValue.string)) }
        var members: [JSONValue.Member] = [
            .init(name: "permission", value: .string(permission.rawValue)),
            .init(name: "resource", value: .string(resource.text)),
            .init(name: "operations", value: texts(methods.names)),
        ]
        if !tags.isEmpty { members.append(.init(name: "tags", value: texts(tags.words.sorted()))) }
        return .object(members)
    }
}
