/// The approvals that a call needs: for each clause, one by a member of any of its groups. No clause is any approver.
///
/// Clauses are minimal. A clause that holds every group of another one asks for nothing more and is left out. Names of
/// groups are compared by their bytes.
package struct ApproverClauses: Hashable, Sendable {
    /// The groups of each clause. Groups and clauses are sorted, each without repetition.
    package let groups: [[String]]

    /// An empty clause can be met by no group, and is left out.
    package init(_ clauses: [[String]]) {
        var kept: [[String]] = []
        for clause in clauses.map(Self.sorted).sorted(by: Self.isShorterOrBefore) where !clause.isEmpty {
            if !kept.contains(where: { Self.holds(clause, all: $0) }) { kept.append(clause) }
        }
        groups = kept.sorted { Self.precedes($0, $1) }
    }

    /// One approver of any of the groups, or of each.
    package init(_ groups: [String], ofEach isOfEach: Bool) {
        self.init(isOfEach ? groups.map { [$0] } : [groups])
    }

    /// Both together.
    package func and(_ other: ApproverClauses) -> ApproverClauses { ApproverClauses(groups + other.groups) }

    /// True when approvals that meet the other clauses meet these as well, regardless of the approver.
    package func isMet(by met: ApproverClauses) -> Bool {
        groups.allSatisfy { clause in met.groups.contains { Self.holds(clause, all: $0) } }
    }

    /// The clauses that none of the groups is in: those that approvals of these groups leave to be met.
    package func open(after approved: [String]) -> [[String]] {
        groups.filter { clause in !clause.contains { group in approved.contains { $0.isExactly(group) } } }
    }

    /// The groups of all clauses.
    package var allGroups: [String] { Self.sorted(groups.flatMap(\.self)) }

    /// True when neither "one of any" nor "one of each" of some groups says it.
    package var isMixed: Bool { groups.count > 1 && groups.contains { $0.count > 1 } }

    private static func holds(_ clause: [String], all groups: [String]) -> Bool {
        groups.allSatisfy { group in clause.contains { $0.isExactly(group) } }
    }

    private static func sorted(_ groups: [String]) -> [String] {
        groups.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.reduce(into: []) { kept, group in
            if kept.last?.isExactly(group) != true { kept.append(group) }
        }
    }

    private static func isShorterOrBefore(_ left: [String], _ right: [String]) -> Bool {
        left.count == right.count ? precedes(left, right) : left.count < right.count
    }

    private static func precedes(_ left: [String], _ right: [String]) -> Bool {
        left.lexicographicallyPrecedes(right) { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}

extension RequiredApproval {
    /// The approvals that are needed.
    package var clauses: ApproverClauses {
        mixedClauses.isEmpty
            ? ApproverClauses(groups, ofEach: needsEveryGroup) : ApproverClauses(mixedClauses)
    }

    /// The word that says how `groups` have to approve: any, all, or, for a mixture, clauses.
    package var match: String { mixedClauses.isEmpty ? (needsEveryGroup ? "all" : "any") : "clauses" }

    /// The groups of each approval that is needed, for a mixture; `nil` where `groups` and `match` say it.
    package var clausesJSON: JSONValue? {
        mixedClauses.isEmpty ? nil : .array(mixedClauses.map { .array($0.map(JSONValue.string)) })
    }

    /// The approvers in words, such as "one of finance, risk"; `nil` for any approver.
    package var approversText: String? {
        guard mixedClauses.isEmpty else {
            return mixedClauses.map { "one of \($0.joined(separator: ", "))" }.joined(separator: ", and ")
        }
        return groups.isEmpty ? nil : (needsEveryGroup ? "one of each of " : "one of ") + groups.joined(separator: ", ")
    }
}
