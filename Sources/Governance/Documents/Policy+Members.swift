package import Domain

/// The members of a policy's document.
///
/// A misspelled member makes a rule wider, or an approval easier, than its author means: `operation` for `operations`
/// allows every method, `group` for `groups` lets any approver decide. Unknown members are stored all the same, because
/// clients may have members of their own.
extension Policy {
    private static let ruleMembers = ["permission", "resource", "operations", "tags"]
    private static let approvalMembers = [
        "name", "toolIds", "capabilities", "resource", "tags", "operations", "approvers", "defaultDuration",
        "maxDuration", "requireSignature", "delivery",
    ]

    /// A sentence for each member of `spec`'s content that decides nothing and is no note, with the known ones.
    package static func unknownMembers(spec: JSONValue) -> [String] {
        var found = spec.unknownMembers("spec", known: ["policies", "rules", "approvals"])
        for name in ["policies", "rules"] {
            for (path, rule) in spec.elements(name) { found += rule.unknownMembers(path, known: ruleMembers) }
        }
        for (path, approval) in spec.elements("approvals") {
            found += approval.unknownMembers(path, known: approvalMembers)
            found += approval["approvers"]?.unknownMembers("\(path).approvers", known: ["groups", "match"]) ?? []
            found +=
                approval["delivery"]?.unknownMembers("\(path).delivery", known: ["connectors", "mode", "fallbackToUI"])
                ?? []
        }
        return found
    }
}

extension JSONValue {
    /// The elements of a member of `spec`, each with its path.
    fileprivate func elements(_ name: String) -> [(path: String, element: JSONValue)] {
        self[name].elements.enumerated().map { ("spec.\(name)[\($0)]", $1) }
    }

    fileprivate func unknownMembers(_ path: String, known: [String]) -> [String] {
        guard case .object(let members) = self else { return [] }
        return members.filter { !known.contains($0.name) && $0.name != "description" }.map { member in
            "\(path) has an unknown member \"\(member.name.excerpt)\", which decides nothing: use "
                + "\(known.joined(separator: ", ")), or description for notes"
        }
    }
}
