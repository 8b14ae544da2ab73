import Domain

/// The approval rules that say who approves a call: of each policy that counts the closest one, all of them together.
///
/// Servers may read a path in several ways. A rule that is about the call by some of them alone adds to the closest
/// rule that is about it by all, and never takes its place: the agent chooses the spelling.
enum ApprovalRuleChoice {
    struct Choice {
        let requirement: ApprovalRequirement
        let reason: String
    }

    /// The source of the demand that a call be approved.
    struct Asking {
        /// The names of the policies with a rule that asks.
        let policies: Set<String>
        /// True when the tool asks, or it is not known which policies do.
        let hasOthers: Bool
    }

    /// The requirements of all policies that ask, met together.
    ///
    /// A policy that asks and has no rule about the call, like a tool that asks, leaves it to the rules of all policies.
    /// One more policy or rule that asks therefore only ever adds to the requirement.
    static func choose(_ policies: [BoundPolicy], _ asking: Asking, _ subject: ApprovalSubject) -> Choice {
        let found = policies.sorted { $0.name < $1.name }.compactMap { closest(in: $0, subject) }
        let asked = found.filter { asking.policies.contains($0.policy) }
        let isLeftOpen =
            asking.hasOthers || !asking.policies.isSubset(of: asked.filter(\.isSure).map(\.policy))
        let counting = isLeftOpen ? found : asked
        guard !counting.isEmpty else {
            return Choice(
                requirement: .default, reason: "no approval rule is about the call: any approver may decide, for 4h")
        }
        // Where only rules of policies that ask are left to answer another asker, that one allows what settings allow.
        let requirement = ApprovalRequirement(
            together: counting.flatMap(\.requirements), isLimitedBySettings: isLeftOpen && asked.count == found.count)
        return Choice(
            requirement: requirement,
            reason: counting.flatMap { closest in
                closest.requirements.map { "policy \"\(closest.policy)\", \($0.reason)" }
            }.joined(separator: "; and "))
    }

    private struct Closest {
        let policy: String
        /// What the closest rule asks for, by each reading of the call's URL.
        let requirements: [ApprovalRequirement]
        /// True when the policy has a rule about the call by every reading.
        let isSure: Bool
    }

    /// The closest rules of one policy: the closest that is about the call by every reading of its URL, and those at
    /// least as close that are about it by some. Of those equally close the strictest. When any of these wants approvals
    /// signed, they are.
    private static func closest(in bound: BoundPolicy, _ subject: ApprovalSubject) -> Closest? {
        guard case .policy(let policy) = bound.content else { return nil }
        let candidates = policy.approvals.compactMap { rule in
            rule.closeness(subject).map {
                Candidate(closeness: $0, isSure: rule.isSurelyAbout(subject), rule: rule)
            }
        }
        guard !candidates.isEmpty else { return nil }
        let best = candidates.filter(\.isSure).min { $0.order < $1.order }
        let others = candidates.filter { !$0.isSure && $0.closeness >= best?.closeness ?? 0 }
        let requirements = ((best.map { [$0] } ?? []) + others.sorted { $0.order < $1.order }).map { chosen in
            chosen.requirement(
                needsSignature: candidates.contains {
                    $0.closeness == chosen.closeness && $0.rule.requiresSignature
                })
        }
        return Closest(policy: bound.name, requirements: requirements, isSure: best != nil)
    }

    private struct Candidate {
        let closeness: Int
        /// True when the rule is about the call by every reading of its URL.
        let isSure: Bool
        let rule: ApprovalRule

        var duration: Duration {
            let stated = rule.defaultDuration ?? ApprovalRequirement.defaultDuration
            return rule.maxDuration.map { min($0, stated) } ?? stated
        }

        var durationMax: Duration? { rule.maxDuration ?? rule.defaultDuration }

        func requirement(needsSignature: Bool) -> ApprovalRequirement {
            ApprovalRequirement(
                name: rule.name, approvers: rule.approvers, duration: duration, durationMax: durationMax,
                delivery: rule.delivery, needsSignature: needsSignature)
        }

        /// Smaller is chosen. What two rules share of this they mean alike, so that their order does not matter.
        var order: Order {
            let needed =
                rule.approvers.quorum == .all ? rule.approvers.groups.count : min(1, rule.approvers.groups.count)
            return Order(
                numbers: [-closeness, -needed, rule.approvers.quorum == .all ? 0 : rule.approvers.groups.count],
                duration: duration, words: [rule.name] + rule.approvers.groups)
        }
    }

    private struct Order {
        let numbers: [Int]
        let duration: Duration
        let words: [String]

        static func < (left: Order, right: Order) -> Bool {
            guard left.numbers == right.numbers else { return left.numbers.lexicographicallyPrecedes(right.numbers) }
            guard left.duration == right.duration else { return left.duration < right.duration }
            return left.words.lexicographicallyPrecedes(right.words)
        }
    }
}
