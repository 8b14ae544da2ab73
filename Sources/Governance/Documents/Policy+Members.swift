package import Domain

/// The members of a policy's document.
///
/// A misspelled member makes a rule wider, or an approval easier, than its author means: `operation` for `operations`
/// allows every method, `group` for `groups` lets any approver decide. So a policy that is stored has known members alone.
/// Stored documents are read without this check, so that those of earlier versions keep deciding.
extension Policy {
    /// Members for notes, which decide nothing.
    private static let notes: Set = ["description"]

    /// - Throws: when the content of `spec` has a member that no version of this document defines.
    package static func checkMembers(spec: JSONValue) throws(InvalidDocument) {
        let reader = try DocumentReader(spec, path: "spec")
        try reader.checkMembers(["policies", "rules", "approvals"], notes)
        for name in ["policies", "rules"] {
            for rule in try reader.objects(name, max: rulesMax) {
                try rule.checkMembers(["permission", "resource", "operations", "tags"], notes)
            }
        }
        for approval in try reader.objects("approvals", max: approvalsMax) {
            try approval.checkMembers(
                [
                    "name", "toolIds", "capabilities", "resource", "tags", "operations", "approvers", "defaultDuration",
                    "maxDuration", "requireSignature", "delivery",
                ], notes)
            try approval.object("approvers")?.checkMembers(["groups", "match"], notes)
            try approval.object("delivery")?.checkMembers(["connectors", "mode", "fallbackToUI"], notes)
        }
    }
}

extension DocumentReader {
    fileprivate func checkMembers(_ known: [String], _ notes: Set<String>) throws(InvalidDocument) {
        for name in memberNames where !known.contains(name) && !notes.contains(name) {
            throw InvalidDocument(
                "\(path) has an unknown member \"\(name.excerpt)\": use \(known.joined(separator: ", ")), or description "
                    + "for notes")
        }
    }
}
