import Domain

extension ApprovalRequirement {
    /// The approvals that the agent's policies ask for, together, for a call that its client says waits.
    ///
    /// What the client leaves out is taken to be the tool's own address, and no method: rules that name methods are not
    /// about it.
    package static func stated(
        tool: GovernedTool, capability: String?, method: String?, url: NormalizedURL?, policies: [BoundPolicy]
    ) -> ApprovalRequirement {
        let subject = ApprovalSubject(
            tool: tool.name, capabilityNames: capability.map { [$0] } ?? [], method: method ?? "",
            url: url ?? tool.baseURL, tags: tool.tags)
        let asking = ApprovalRuleChoice.Asking(policies: [], hasOthers: true)
        return ApprovalRuleChoice.choose(policies, asking, subject).requirement
    }
}
