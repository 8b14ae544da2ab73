/// Decides on calls. Pure: the same facts give the same verdict, in whatever order policies and rules come.
///
/// The order of what is asked is in docs/policy.md: tool, URL, bound policies (deny, then approval_required, then
/// allow, then default deny) or the tool's access mode, what the tool itself asks for, capability.
package enum PolicyEvaluation {
    /// - Parameters:
    ///   - tool: the registered tool that the call is to; `nil` when there is none.
    ///   - policies: what was found for each name that the agent's deploy bound.
    ///   - isExplained: whether the verdict says each thing looked at, and not only what decided.
    package static func decide(
        call: CallFacts, tool: GovernedTool?, policies: [BoundPolicy], isExplained: Bool = true
    ) -> Verdict {
        var evaluation = Evaluation(call: call, policies: policies, Explanation(isKept: isExplained))
        return evaluation.verdict(tool)
    }
}

/// One evaluation on its way.
private struct Evaluation {
    let call: CallFacts
    let policies: [BoundPolicy]
    var explanation: Explanation

    init(call: CallFacts, policies: [BoundPolicy], _ explanation: Explanation) {
        self.call = call
        self.explanation = explanation
        self.policies = policies.sorted { $0.name < $1.name }
    }

    mutating func verdict(_ tool: GovernedTool?) -> Verdict {
        guard let tool else { return deny(.unknownTool(call.tool), .tool) }
        explanation.add(.tool, "\"\(tool.name)\" is registered at \(tool.baseURL)")
        let url: NormalizedURL
        do {
            url = try NormalizedURL(call.url)
        } catch {
            return deny(.invalidURL(error.reason), .url)
        }
        guard let place = tool.place(of: url) else { return deny(.outsideTool(tool.baseURL.text), .url) }
        explanation.add(.url, "judged as \(call.method) \(url)")
        let match = CapabilityMatch.find(call.method, at: place, in: tool.capabilities)
        let tags = call.tags.union(tool.tags).union(match?.capability?.tags ?? RiskTags([]))
        let judged = JudgedCall(tool: tool, url: url, tags: tags, match: match)
        let ruling = policies.isEmpty ? byAccessMode(tool) : byRules(judged)
        guard ruling.permission != .deny else { return verdict(.deny(ruling.rule), nil, url: nil) }
        let stricter = askedByTool(tool, ruling)
        guard let match else { return deny(.noCapability, .capability) }
        explanation.add(
            .capability,
            match.capability.map { "the call is \"\($0.names[0])\"" } ?? "the tool declares none: every call is one")
        guard stricter.permission == .approvalRequired else { return verdict(.allow(stricter.rule), match, url: url) }
        return verdict(.approvalRequired(stricter.rule, requirement(stricter.rule, judged)), match, url: url)
    }

    /// The strictest permission that a rule gives, by the first rule in the order of the policies' names.
    private mutating func byRules(_ judged: JudgedCall) -> Ruling {
        explanation.add(.policies, "bound: \(policies.map { "\"\($0.name)\"" }.joined(separator: ", "))")
        var found: [PolicyPermission: DecidingRule] = [:]
        for bound in policies {
            switch bound.content {
            case .missing: note(.deny, .unusablePolicy(name: bound.name, reason: "does not exist"), &found)
            case .unreadable(let reason):
                note(.deny, .unusablePolicy(name: bound.name, reason: "cannot be read: \(reason)"), &found)
            case .policy(let policy):
                for (index, rule) in policy.rules.enumerated()
                where rule.covers(call.method, judged.url, judged.tags) {
                    note(rule.permission, .policy(name: bound.name, index: index, rule), &found)
                }
            }
        }
        for permission in [PolicyPermission.deny, .approvalRequired, .allow] {
            if let rule = found[permission] {
                explanation.add(.rules, "\(permission.rawValue) decides: \(rule.reason)")
                return Ruling(permission: permission, rule: rule)
            }
        }
        explanation.add(.rules, DecidingRule.defaultDeny.reason)
        return Ruling(permission: .deny, rule: .defaultDeny)
    }

    private mutating func note(
        _ permission: PolicyPermission, _ rule: DecidingRule, _ found: inout [PolicyPermission: DecidingRule]
    ) {
        // The steps are for people: they name the first hundred rules, and the one that decides.
        if explanation.steps.count < 100 { explanation.add(.rules, "covers the call: \(rule.reason)") }
        if found[permission] == nil { found[permission] = rule }
    }

    private mutating func byAccessMode(_ tool: GovernedTool) -> Ruling {
        explanation.add(.policies, "none is bound to agent \"\(call.agent.name)\"")
        let isBound = call.agent.requiredTools.contains(tool.name)
        let rule = DecidingRule.accessMode(tool.accessMode, isBound: isBound)
        explanation.add(.accessMode, rule.reason)
        return switch tool.accessMode {
        case .open: Ruling(permission: .allow, rule: rule)
        case .restricted: Ruling(permission: isBound ? .allow : .deny, rule: rule)
        case .critical: Ruling(permission: .approvalRequired, rule: rule)
        }
    }

    /// A tool may ask for approval of what is allowed; it never allows what is not.
    private mutating func askedByTool(_ tool: GovernedTool, _ ruling: Ruling) -> Ruling {
        guard ruling.permission == .allow, tool.requiresApproval || tool.accessMode == .critical else { return ruling }
        let rule: DecidingRule =
            tool.accessMode == .critical
            ? .accessMode(.critical, isBound: call.agent.requiredTools.contains(tool.name)) : .requireApproval
        explanation.add(.accessMode, rule.reason)
        return Ruling(permission: .approvalRequired, rule: rule)
    }

    /// The closest approval rule of the policy that asks for the approval, else of any that is bound.
    private mutating func requirement(_ rule: DecidingRule, _ judged: JudgedCall) -> ApprovalRequirement {
        var asking: String?
        if case .policy(let name, _, _) = rule { asking = name }
        let subject = ApprovalSubject(
            tool: judged.tool.name, capabilityNames: judged.match?.capability?.names ?? [], method: call.method,
            url: judged.url, tags: judged.tags)
        let found = ApprovalRuleChoice.choose(policies, asking: asking, subject)
        explanation.add(.approval, found.reason)
        return found.requirement
    }

    private mutating func deny(_ rule: DecidingRule, _ stage: Explanation.Stage) -> Verdict {
        explanation.add(stage, rule.reason)
        return verdict(.deny(rule), nil, url: nil)
    }

    private func verdict(_ decision: Verdict.Decision, _ match: CapabilityMatch?, url: NormalizedURL?) -> Verdict {
        Verdict(decision: decision, explanation: explanation, capability: match, url: url)
    }
}

private struct JudgedCall {
    let tool: GovernedTool
    let url: NormalizedURL
    let tags: RiskTags
    let match: CapabilityMatch?
}

private struct Ruling {
    let permission: PolicyPermission
    let rule: DecidingRule
}
