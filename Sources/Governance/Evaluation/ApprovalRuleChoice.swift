import Domain

/// Which approval rule says who approves a call.
enum ApprovalRuleChoice {
    struct Choice {
        let requirement: ApprovalRequirement
        let reason: String
    }

    /// The closest rule of the policy that asks, else the closest of all; of those equally close the strictest. When
    /// any of these wants approvals signed, they are.
    static func choose(_ policies: [BoundPolicy], asking: String?, _ subject: ApprovalSubject) -> Choice {
        var candidates: [Candidate] = []
        for bound in policies {
            guard case .policy(let policy) = bound.content else { continue }
            for rule in policy.approvals {
                guard let closeness = rule.closeness(subject) else { continue }
                candidates.append(
                    Candidate(policy: bound.name, isAsking: bound.name == asking, closeness: closeness, rule: rule))
            }
        }
        guard let best = candidates.min(by: { $0.order < $1.order }) else {
            return Choice(
                requirement: .default, reason: "no approval rule is about the call: any approver may decide, for 4h")
        }
        let needsSignature = candidates.contains { $0.isAsClose(as: best) && $0.rule.requiresSignature }
        let requirement = ApprovalRequirement(
            name: best.rule.name, approvers: best.rule.approvers, duration: best.duration,
            durationMax: best.durationMax, delivery: best.rule.delivery, needsSignature: needsSignature)
        let word = requirement.match == .all ? "one approver of each of" : "one approver of any of"
        let who = requirement.groups.isEmpty ? "any approver" : "\(word) \(requirement.groups.joined(separator: ", "))"
        return Choice(
            requirement: requirement,
            reason: "policy \"\(best.policy)\", approval \"\(requirement.name)\": \(who), for "
                + DurationText.format(requirement.duration)
                + (best.rule.maxDuration.map { ", at most \(DurationText.format($0))" } ?? "")
                + (needsSignature ? ", each approval signed with the approver's own SSH key" : ""))
    }

    private struct Candidate {
        let policy: String
        let isAsking: Bool
        let closeness: Int
        let rule: ApprovalRule

        var duration: Duration {
            let stated = rule.defaultDuration ?? ApprovalRequirement.defaultDuration
            return rule.maxDuration.map { min($0, stated) } ?? stated
        }

        var durationMax: Duration? { rule.maxDuration ?? rule.defaultDuration }

        func isAsClose(as other: Candidate) -> Bool {
            isAsking == other.isAsking && closeness == other.closeness
        }

        /// Smaller is chosen. What two rules share of this they mean alike, so that their order does not matter.
        var order: Order {
            let needed =
                rule.approvers.quorum == .all ? rule.approvers.groups.count : min(1, rule.approvers.groups.count)
            return Order(
                numbers: [
                    isAsking ? 0 : 1, -closeness, -needed,
                    rule.approvers.quorum == .all ? 0 : rule.approvers.groups.count,
                ],
                duration: duration, words: [policy, rule.name] + rule.approvers.groups)
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
