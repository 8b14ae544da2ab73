package import Domain

/// The approvals that a call needs, and how long they hold.
package struct ApprovalRequirement: Hashable, Sendable {
    /// The name of the approval rule that says so, or the names of several; empty when it has none, or when no rule does.
    package let name: String
    /// Sorted; none is every key that may approve.
    package let groups: [String]
    package let match: Approvers.Quorum
    /// The groups of each approval that is needed, where neither any nor all of `groups` says it; empty elsewhere.
    package let mixedClauses: [[String]]
    package let duration: Duration
    /// The longest grant that the rule allows; `nil` when it has no duration.
    package let durationMax: Duration?
    /// True when the settings limit grants as well, because a rule that counts has no duration.
    package let isLimitedBySettings: Bool
    package let delivery: ApprovalDelivery
    /// True when each approval has to be signed with the approver's own SSH key.
    package let needsSignature: Bool

    package static let defaultDuration: Duration = .seconds(4 * 3600)
    private static let nameCharactersMax = 200

    /// Any approver, for four hours.
    package static let `default` = ApprovalRequirement(
        name: "", approvers: Approvers(groups: [], quorum: .any), duration: defaultDuration,
        durationMax: nil, delivery: ApprovalDelivery(), needsSignature: false)

    init(
        name: String, approvers: Approvers, duration: Duration, durationMax: Duration?, delivery: ApprovalDelivery,
        needsSignature: Bool
    ) {
        self.name = name
        groups = approvers.groups
        match = approvers.quorum
        mixedClauses = []
        self.duration = duration
        self.durationMax = durationMax
        isLimitedBySettings = false
        self.delivery = delivery
        self.needsSignature = needsSignature
    }

    /// All of the requirements, of which there is at least one; a single one stays as it is written.
    ///
    /// - Parameter isLimitedBySettings: whether something that has no duration asks as well.
    init(together all: [ApprovalRequirement], isLimitedBySettings: Bool) {
        precondition(!all.isEmpty, "there is a requirement")
        let clauses = all.dropFirst().reduce(all[0].clauses) { $0.and($1.clauses) }
        let isWritten = all.count == 1
        groups = isWritten ? all[0].groups : clauses.allGroups
        match = isWritten ? all[0].match : clauses.groups.count > 1 ? .all : .any
        mixedClauses = clauses.isMixed ? clauses.groups : []
        name = isWritten ? all[0].name : Self.joined(all.map(\.name))
        let longest = all.compactMap(\.durationMax).min()
        durationMax = longest
        duration = all.map(\.duration).reduce(longest ?? all[0].duration, min)
        self.isLimitedBySettings =
            longest != nil && (isLimitedBySettings || all.contains { $0.durationMax == nil })
        delivery = ApprovalDelivery(together: all.map(\.delivery))
        needsSignature = all.contains(where: \.needsSignature)
    }

    /// The approvals that are needed.
    package var clauses: ApproverClauses {
        mixedClauses.isEmpty ? ApproverClauses(groups, ofEach: match == .all) : ApproverClauses(mixedClauses)
    }

    /// A sentence of it, for an explanation.
    var reason: String {
        let word = match == .all ? "one approver of each of" : "one approver of any of"
        let who = groups.isEmpty ? "any approver" : "\(word) \(groups.joined(separator: ", "))"
        return "approval \"\(name)\": \(who), for " + DurationText.format(duration)
            + (durationMax.map { ", at most \(DurationText.format($0))" } ?? "")
            + (needsSignature ? ", each approval signed with the approver's own SSH key" : "")
    }

    private static func joined(_ names: [String]) -> String {
        let joined = Set(names.filter { !$0.isEmpty }).sorted().joined(separator: " and ")
        return joined.count > nameCharactersMax ? joined.prefix(nameCharactersMax - 1) + "…" : joined
    }
}

extension ApprovalDelivery {
    /// Tells everyone that any of the deliveries tells: all their connectors at once, and the workspace's defaults where
    /// one of them leaves it to those. A request that cannot be delivered is given up when any of them wants that.
    init(together all: [ApprovalDelivery]) {
        guard Set(all).count > 1 else {
            self = all.first ?? ApprovalDelivery()
            return
        }
        let named = all.flatMap(\.connectors).reduce(into: [String]()) { kept, name in
            if !kept.contains(name) { kept.append(name) }
        }
        let stated = all.compactMap(\.fallsBackToUI)
        self.init(
            connectors: named, mode: "all", fallsBackToUI: stated.contains(false) ? false : stated.first,
            includesDefaults: !named.isEmpty && all.contains { $0.connectors.isEmpty })
    }
}
