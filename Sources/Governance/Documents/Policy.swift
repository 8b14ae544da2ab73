package import Domain

/// A policy as it is stored: rules, and who approves what they want approved.
package struct Policy: Hashable, Sendable {
    package static let rulesMax = 1_000
    package static let approvalsMax = 200

    package let rules: [PolicyRule]
    package let approvals: [ApprovalRule]

    package init(rules: [PolicyRule], approvals: [ApprovalRule] = []) {
        self.rules = rules
        self.approvals = approvals
    }

    /// Reads a stored document, which has its content under `spec`; unknown members are ignored.
    package init(document: JSONValue) throws(InvalidDocument) {
        guard let spec = try DocumentReader(document, path: "policy").member(object: "spec") else {
            throw InvalidDocument("spec is required")
        }
        try self.init(spec: spec)
    }

    /// Reads the content of `spec`. Rules are under `policies`, or `rules` as some documents have it, or both.
    package init(spec: JSONValue) throws(InvalidDocument) {
        let reader = try DocumentReader(spec, path: "spec")
        var rules: [PolicyRule] = []
        for name in ["policies", "rules"] {
            for rule in try reader.objects(name, max: Self.rulesMax) { rules.append(try PolicyRule(rule)) }
        }
        var approvals: [ApprovalRule] = []
        for approval in try reader.objects("approvals", max: Self.approvalsMax) {
            approvals.append(try ApprovalRule(approval))
        }
        self.init(rules: rules, approvals: approvals)
    }
}
