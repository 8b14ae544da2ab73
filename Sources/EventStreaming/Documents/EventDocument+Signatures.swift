import Domain
import Foundation

extension EventDocument {
    /// The requirement that the approvals of a grant met; nothing for a record of an older version.
    static func addMet(_ approved: AccessApproved, to json: inout JSONObject) {
        guard let requirement = approved.requirement else { return }
        json.add("approval", requirement.name)
        json.add("approver_groups", requirement.groups)
        json.add("approver_match", requirement.match)
        json.add("approver_clauses", requirement.clausesJSON?.text)
        json.add("approved_groups", approved.approvedGroups)
        json.add("signed", requirement.needsSignature)
    }

    /// A decision's signature; nothing for a decision without one.
    static func add(_ signature: DecisionSignature?, to json: inout JSONObject) {
        guard let signature else { return }
        json.add(
            "signature",
            JSONText.object { json in
                json.add("principal", signature.principal)
                json.add("sshsig", Data(signature.bytes).base64EncodedString())
                json.add("scope", signature.grant?.scope.rawValue)
                json.add("duration", signature.grant.map { DurationText.format($0.duration) })
            })
    }
}
