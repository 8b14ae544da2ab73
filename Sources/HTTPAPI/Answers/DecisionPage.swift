import Domain
import EventStreaming
import Gateways
import HTTPTypes
import Hummingbird

/// The page behind a link: first the call and its body, then the buttons, then hashes and ids.
///
/// An approver reads from the top, so everything that a decision depends on comes before the form.
enum DecisionPage {
    static func response(_ status: Int, html body: String) -> Response {
        ConsentPage.response(status, html: body)
    }

    static func response(_ status: Int, json: JSONText) -> Response {
        var answer = APIAnswer(HTTPResponse.Status(code: status), json).response
        for field in ConsentPage.headers([]) { answer.headers[field.name] = field.value }
        return answer
    }

    static func body(_ shown: DecisionShown, _ sentence: String?) -> String {
        let message = shown.view.message
        return (sentence.map(paragraph) ?? "") + paragraph(standing(shown.view)) + others(shown.otherActions)
            + table(message.facts) + (shown.body?.html(payloadHash: message.payloadHash) ?? "") + headers(message)
            + (shown.view.standing == .open ? form(shown.view) : "")
            + "<h2>Details</h2>" + table(message.identifiers)
    }

    private static func table(_ rows: [(name: String, value: String)]) -> String {
        let cells = rows.map { row in
            let value = ConsentPage.escaped(BlockedBody.revealed(row.value))
            return "<tr><th>\(ConsentPage.escaped(row.name))</th><td>\(value)</td></tr>"
        }
        return "<table>\(cells.joined())</table>"
    }

    /// Tells an approver that one decision is not enough for the run to resume.
    private static func others(_ count: Int) -> String {
        switch count {
        case 0: ""
        case 1: paragraph("One other action of this run waits for a decision of its own.")
        default: paragraph("\(count) other actions of this run wait for decisions of their own.")
        }
    }

    /// The bound headers, whole: an approval is for them as well.
    private static func headers(_ message: ApprovalMessage) -> String {
        guard case .object(let members)? = message.headers?.value, !members.isEmpty else { return "" }
        let lines = members.map { "\($0.name): \($0.value.string ?? "")" }.joined(separator: "\n")
        return "<h2>Headers</h2><pre>\(ConsentPage.escaped(lines))</pre>"
    }

    static func paragraph(_ text: String) -> String { "<p>\(ConsentPage.escaped(text))</p>" }

    private static func standing(_ view: DecisionLinks.View) -> String {
        switch view.standing {
        case .open: "Read the request below before you decide. The link decides once."
        case .used: "This link was used; others have to approve as well."
        case .expired: "This link has expired. Nothing can be decided by it any more."
        case .decided(let outcome):
            "There is nothing to decide any more. It was \(outcome.decision.rawValue)"
                + (outcome.approver.map { " by \($0)" } ?? "") + "."
        }
    }

    /// It goes to its own address. The hash is what was seen: another one is refused.
    private static func form(_ view: DecisionLinks.View) -> String {
        let hash = view.message.payloadHash.map {
            "<input type=\"hidden\" name=\"payload_hash\" value=\"\(ConsentPage.escaped($0))\">"
        }
        let approve =
            view.message.needsSignature ? "" : "<button name=\"decision\" value=\"approve\">Approve</button>\n"
        return (view.message.signing.map { paragraph($0) } ?? "") + """
            <form method="post">\(hash ?? "")
            <p><label>Comment (optional)<br><input name="reason" maxlength="500" size="50"></label></p>
            <p>\(approve)<button name="decision" value="reject">Reject</button></p></form>
            """
    }
}
