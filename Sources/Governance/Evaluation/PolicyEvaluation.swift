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

    /// The permissions alone that the call has with each of some lists of policies; what does not depend on policies is
    /// found once.
    ///
    /// - Parameters:
    ///   - url: the call's, where it has been read already.
    ///   - lists: each in the order of the policies' names.
    static func permissions(
        call: CallFacts, at url: NormalizedURL? = nil, tool: GovernedTool?, policies lists: [[BoundPolicy]]
    ) -> [PolicyPermission] {
        var evaluation = Evaluation(call: call, policies: [], Explanation(isKept: false))
        switch evaluation.situation(tool, at: url) {
        case .refused: return lists.map { _ in .deny }
        case .judged(let judged):
            return lists.map { list in
                evaluation.policies = list
                return evaluation.permission(judged)
            }
        }
    }
}

/// One evaluation on its way.
private struct Evaluation {
    let call: CallFacts
    /// In the order of their names.
    var policies: [BoundPolicy]
    var explanation: Explanation

    init(call: CallFacts, policies: [BoundPolicy], _ explanation: Explanation) {
        self.call = call
        self.explanation = explanation
        self.policies = policies.sorted { $0.name < $1.name }
    }

    mutating func verdict(_ tool: GovernedTool?) -> Verdict {
        let judged: JudgedCall
        switch situation(tool) {
        case .refused(let rule, let stage): return deny(rule, stage)
        case .judged(let found): judged = found
        }
        let ruling = ruling(judged)
        switch ruling.permission {
        case .deny: return verdict(.deny(ruling.rule), nil, url: nil)
        case .allow: return verdict(.allow(ruling.rule), judged.match, url: judged.url)
        case .approvalRequired:
            return verdict(
                .approvalRequired(ruling.rule, requirement(judged)), judged.match, url: judged.url)
        }
    }

    /// What the call is to its tool: nothing of it depends on policies.
    mutating func situation(_ tool: GovernedTool?, at known: NormalizedURL? = nil) -> Situation {
        guard let tool else { return .refused(.unknownTool(call.tool), .tool) }
        explanation.add(.tool, "\"\(tool.name)\" is registered at \(tool.baseURL)")
        let url: NormalizedURL
        if let known {
            url = known
        } else {
            do {
                url = try NormalizedURL(call.url)
            } catch {
                return .refused(.invalidURL(error.reason), .url)
            }
        }
        guard let place = tool.place(of: url) else { return .refused(.outsideTool(tool.baseURL.text), .url) }
        explanation.add(.url, "judged as \(call.method) \(url)")
        let match = CapabilityMatch.find(call.method, at: place, in: tool.capabilities)
        var tags = call.tags.isEmpty ? tool.tags : call.tags.union(tool.tags)
        if let own = match?.capability?.tags, !own.isEmpty { tags = tags.union(own) }
        return .judged(JudgedCall(tool: tool, url: url, tags: tags, match: match))
    }

    /// The permission of `ruling`, without which rule it is by.
    mutating func permission(_ judged: JudgedCall) -> PolicyPermission {
        guard !policies.isEmpty else { return ruling(judged).permission }
        let found = foundRules(judged).strictest ?? .deny
        guard found != .deny, judged.match != nil else { return .deny }
        return asksForApproval(judged.tool, found) ? .approvalRequired : found
    }

    /// What policies or the access mode say, then the tool, then its capabilities.
    mutating func ruling(_ judged: JudgedCall) -> Ruling {
        let ruling = policies.isEmpty ? byAccessMode(judged.tool) : byRules(judged)
        guard ruling.permission != .deny else { return ruling }
        let stricter = askedByTool(judged.tool, ruling)
        guard let match = judged.match else {
            explanation.add(.capability, DecidingRule.noCapability.reason)
            return Ruling(permission: .deny, rule: .noCapability)
        }
        explanation.add(
            .capability,
            match.capability.map { "the call is \"\($0.names[0])\"" } ?? "the tool declares none: every call is one")
        return stricter
    }

    /// The strictest permission that a rule gives, by the first rule in the order of the policies' names.
    private mutating func byRules(_ judged: JudgedCall) -> Ruling {
        explanation.add(.policies, "bound: \(policies.map { "\"\($0.name)\"" }.joined(separator: ", "))")
        let found = foundRules(judged)
        guard let permission = found.strictest, let place = found[permission] else {
            explanation.add(.rules, DecidingRule.defaultDeny.reason)
            return Ruling(permission: .deny, rule: .defaultDeny)
        }
        let rule = rule(place)
        explanation.add(.rules, "\(permission.rawValue) decides: \(rule.reason)")
        return Ruling(permission: permission, rule: rule)
    }

    /// The first rule of each permission that covers the call; the rest, when nobody asks for an explanation, only as far
    /// as one of them may decide.
    private mutating func foundRules(_ judged: JudgedCall) -> FoundRules {
        var found = FoundRules()
        for (number, bound) in policies.enumerated() {
            guard case .policy(let policy) = bound.content else {
                note(.deny, FoundRules.Place(policy: number, rule: nil), &found)
                continue
            }
            // By their numbers: a rule is large to copy.
            for index in policy.rules.indices {
                let permission = policy.rules[index].permission
                // A second rule that says the same is for the explanation alone.
                guard explanation.isKept || found[permission] == nil,
                    policy.rules[index].covers(call.method, judged.url, judged.tags)
                else { continue }
                note(permission, FoundRules.Place(policy: number, rule: index), &found)
            }
            if found.deny != nil, !explanation.isKept { break }
        }
        return found
    }

    private mutating func note(_ permission: PolicyPermission, _ place: FoundRules.Place, _ found: inout FoundRules) {
        // The steps are for people: they name the first hundred rules, and the one that decides.
        if explanation.isKept, explanation.steps.count < 100 {
            let reason = rule(place).reason
            explanation.add(.rules, "covers the call: \(reason)")
        }
        if found[permission] == nil { found[permission] = place }
    }

    private func rule(_ place: FoundRules.Place) -> DecidingRule {
        let bound = policies[place.policy]
        switch bound.content {
        case .missing: return .unusablePolicy(name: bound.name, reason: "does not exist")
        case .unreadable(let reason):
            return .unusablePolicy(name: bound.name, reason: "cannot be read: \(reason)")
        case .policy(let policy):
            let index = place.rule ?? 0
            return .policy(name: bound.name, index: index, policy.rules[index])
        }
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
        guard asksForApproval(tool, ruling.permission) else { return ruling }
        let rule: DecidingRule =
            tool.accessMode == .critical
            ? .accessMode(.critical, isBound: call.agent.requiredTools.contains(tool.name)) : .requireApproval
        explanation.add(.accessMode, rule.reason)
        return Ruling(permission: .approvalRequired, rule: rule)
    }

    private func asksForApproval(_ tool: GovernedTool, _ permission: PolicyPermission) -> Bool {
        permission == .allow && tool.asksForApproval
    }

    /// The requirements of all policies that ask for the approval, and of the tool where it asks.
    private mutating func requirement(_ judged: JudgedCall) -> ApprovalRequirement {
        let asking = policies.filter { bound in
            guard case .policy(let policy) = bound.content else { return false }
            return policy.rules.contains {
                $0.permission == .approvalRequired && $0.covers(call.method, judged.url, judged.tags)
            }
        }
        let subject = ApprovalSubject(
            tool: judged.tool.name, capabilityNames: judged.match?.capability?.names ?? [], method: call.method,
            url: judged.url, tags: judged.tags)
        let found = ApprovalRuleChoice.choose(
            policies, .init(policies: Set(asking.map(\.name)), hasOthers: judged.tool.asksForApproval), subject)
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

extension GovernedTool {
    /// True when the tool wants every call approved, whatever the policies say.
    fileprivate var asksForApproval: Bool { requiresApproval || accessMode == .critical }
}

/// What a call comes to before any policy is asked.
private enum Situation {
    case refused(DecidingRule, Explanation.Stage)
    case judged(JudgedCall)
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

/// The first rule that was found to give each permission.
private struct FoundRules {
    /// Which rule of which policy; none is the policy itself, which cannot be used.
    struct Place {
        let policy: Int
        let rule: Int?
    }

    var deny, approvalRequired, allow: Place?

    /// What decides.
    var strictest: PolicyPermission? {
        deny != nil ? .deny : approvalRequired != nil ? .approvalRequired : allow != nil ? .allow : nil
    }

    subscript(permission: PolicyPermission) -> Place? {
        get {
            switch permission {
            case .deny: deny
            case .approvalRequired: approvalRequired
            case .allow: allow
            }
        }
        set {
            switch permission {
            case .deny: deny = newValue
            case .approvalRequired: approvalRequired = newValue
            case .allow: allow = newValue
            }
        }
    }
}
