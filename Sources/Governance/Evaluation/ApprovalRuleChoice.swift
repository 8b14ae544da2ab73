import Domain

/// The approval rules that say who approves a call: of each policy that counts the closest one, all of them together.
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
        let isLeftOpen = asking.hasOthers || !asking.policies.isSubset(of: asked.map(\.policy))
        let counting = isLeftOpen ? found : asked
        guard !counting.isEmpty else {
            return Choice(
                requirement: .default, reason: "no approval rule is about the call: any approver may decide, for 4h")
        }
        // Where only rules of policies that ask are left to answer another asker, that one allows what settings allow.
        let requirement = ApprovalRequirement(
            together: counting.map(\.requirement), isLimitedBySettings: isLeftOpen && asked.count == found.count)
        return Choice(
            requirement: requirement,
            reason: counting.map { "policy \"\($0.policy)\", \($0.requirement.reason)" }.joined(separator: "; and "))
    }

    private struct Closest {
        let policy: String
        let requirement: ApprovalRequirement
    }

    /// The closest rule of one policy; of those equally close the strictest. When any of these wants approvals signed,
    /// they are.
    private static func closest(in bound: BoundPolicy, _ subject: ApprovalSubject) -> Closest? {
        guard case .policy(let policy) = bound.content else { return nil }
        let candidates = policy.approvals.compactMap { rule in
            rule.closeness(subject).map { Candidate(closeness: $0, rule: rule) }
        }
        guard let best = candidates.min(by: { $0.order < $1.order }) else { return nil }
        let needsSignature = candidates.contains { $0.closeness == best.closeness && $0.rule.requiresSignature }
        return Closest(
            policy: bound.name,
            requirement: ApprovalRequirement(
                name: best.rule.name, approvers: best.rule.approvers, duration: best.duration,
                durationMax: best.durationMax, delivery: best.rule.delivery, needsSignature: needsSignature))
    }

    private struct Candidate {
        let closeness: Int
        let rule: ApprovalRule

        var duration: Duration {
            let stated = rule.defaultDuration ?? ApprovalRequirement.defaultDuration
            return rule.maxDuration.map { min($0, stated) } ?? stated
        }

        var durationMax: Duration? { rule.maxDuration ?? rule.defaultDuration }

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
