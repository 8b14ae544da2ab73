import Domain
import Governance
import Testing

@Suite struct PolicyTranslationTests {
    private static let tools = ["payments": "https://pay.test/v1", "crm": "https://crm.test"]

    @Test(arguments: [
        ("allow GET on https://api.x.com/*", "allow GET on https://api.x.com/*"),
        ("Deny DELETE on api.x.com.", "deny DELETE on https://api.x.com"),
        (
            "Agents may read https://a.test/x and https://b.test/*",
            "allow GET, HEAD on https://a.test/x; allow GET, HEAD on https://b.test/*"
        ),
        ("never write to the CRM tool", "deny POST, PUT, PATCH, DELETE on https://crm.test/*"),
        ("do not allow anything", "deny any method on *"), ("deny delete", "deny DELETE on *"),
        ("require approval for POST to payments by finance group", "approval_required POST on https://pay.test/v1/*"),
        ("do not allow POST to payments without approval", "approval_required POST on https://pay.test/v1/*"),
        ("allow reads on payments without approval", "allow GET, HEAD on https://pay.test/v1/*"),
        ("block all calls tagged PII or money", "deny any method on * tagged money or pii"),
    ])
    func aStatementBecomesARule(text: String, meaning: String) throws {
        let translation = PolicyTranslation(text, tools: Self.tools)
        #expect(translation.unmatched.isEmpty && translation.understood.map(\.meaning) == [meaning])
        let spec = JSONValue.object([
            .init(name: "policies", value: .array(translation.rules)),
            .init(name: "approvals", value: .array(translation.approvals)),
        ])
        #expect(try Policy(spec: spec).rules.map(\.description).joined(separator: "; ") == meaning)
    }

    @Test(arguments: [
        ("by finance", ["finance"], "any"), ("by the finance or legal team", ["finance", "legal"], "any"),
        ("by both finance and legal", ["finance", "legal"], "all"), ("by finance for 30 minutes", ["finance"], "any"),
    ])
    func approversAreNamedByGroup(who: String, groups: [String], match: String) throws {
        let translation = PolicyTranslation("POST to payments must be approved \(who)", tools: Self.tools)
        let approval = try #require(translation.approvals.first, "\(translation.unmatched)")
        #expect(approval["toolIds"] == .array([.string("payments")]))
        #expect(approval["approvers"]?["groups"] == .array(groups.map(JSONValue.string)))
        #expect(approval["approvers"]?["match"]?.string == match)
        #expect(approval["defaultDuration"]?.string == (who.hasSuffix("minutes") ? "30m" : nil))
    }

    @Test(arguments: [
        "allow GET on frobnicator", "allow GET on https://a.test/* except https://a.test/b", "be careful", "allow",
        "deny POST with approval", "allow GET on https://a.test/*/b", "deny everything unless it is Tuesday",
        "allow GET to payments by finance", "allow POST without a care",
    ])
    func whatIsNotUnderstoodIsSaidAndMakesNoRule(text: String) {
        let translation = PolicyTranslation(text, tools: Self.tools)
        #expect(translation.rules.isEmpty && translation.approvals.isEmpty)
        #expect(translation.unmatched.map(\.statement) == [text] && translation.unmatched.first?.reason != "")
    }

    @Test func statementsAreLinesAndSentences() {
        let text = "allow GET on https://a.test/*. Deny DELETE on a.test; make it nice\r\n\ndeny POST"
        let translation = PolicyTranslation(text)
        #expect(translation.rules.count == 3)
        #expect(translation.unmatched.map(\.statement) == ["make it nice"])
    }

    @Test func aLongTextIsCutOffAndSaysSo() {
        let translation = PolicyTranslation(String(repeating: "deny POST\n", count: 500))
        #expect(translation.rules.count == PolicyTranslation.statementsMax && translation.unmatched.count == 1)
    }
}
