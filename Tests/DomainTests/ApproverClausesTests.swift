import Domain
import TestSupport
import Testing

/// Approvals that have to be met together, held against their meaning: the sets of groups that meet them.
@Suite struct ApproverClausesTests {
    private static let groups = ["a", "b", "c", "d"]
    /// Every set of groups that could have approved.
    private static let approvals: [[String]] = (0..<16).map { bits in
        groups.indices.filter { bits >> $0 & 1 == 1 }.map { groups[$0] }
    }

    private static func random(_ random: inout SeededRandom) -> [[String]] {
        (0..<Int.random(in: 0...3, using: &random)).map { _ in
            groups.shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random)).sorted()
        }
    }

    private static func meets(_ approved: [String], _ clauses: [[String]]) -> Bool {
        clauses.allSatisfy { !Set($0).isDisjoint(with: approved) }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func theyAreMetByWhatMeetsEachOfThem(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let (first, second) = (Self.random(&random), Self.random(&random))
        let both = ApproverClauses(first).and(ApproverClauses(second))
        for approved in Self.approvals {
            #expect(
                both.open(after: approved).isEmpty == (Self.meets(approved, first) && Self.meets(approved, second)))
        }
        #expect(both == ApproverClauses(second + first))
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func oneRequirementMeetsAnotherWhenAllThatMeetsItMeetsTheOther(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let (asked, met) = (Self.random(&random), Self.random(&random))
        let isImplied = Self.approvals.allSatisfy { !Self.meets($0, met) || Self.meets($0, asked) }
        #expect(ApproverClauses(asked).isMet(by: ApproverClauses(met)) == isImplied)
    }

    @Test func namesAreComparedByteForByte() {
        // A Kelvin sign is a letter K to `==`.
        let (latin, kelvin) = (ApproverClauses([["KYC"]]), ApproverClauses([["\u{212A}YC"]]))
        #expect(!latin.isMet(by: kelvin) && !kelvin.isMet(by: latin))
        #expect(latin.and(kelvin).groups.count == 2 && !kelvin.open(after: ["KYC"]).isEmpty)
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func aCallIsApprovedOnceTheGroupsOfItsVotersMeetTheRequirement(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let clauses = ApproverClauses(Self.random(&random))
        guard clauses.isMixed else { return }
        var gate = try GateScenario()
        let requirement = RequiredApproval(
            name: "", groups: clauses.allGroups, needsEveryGroup: true, duration: nil, mixedClauses: clauses.groups)
        let request = try #require(try gate.blocked(gate.call(body: 1), requirement).accessRequestID)
        var approved: Set<String> = []
        for _ in 0..<8 where !Self.meets(Array(approved), clauses.groups) {
            let mine = Self.groups.shuffled(using: &random).prefix(Int.random(in: 0...2, using: &random)).sorted()
            let actor = try gate.scenario.approver("approver \(approved) \(random.next())", mine)
            let rejection = gate.approve(request, as: actor, .agentUserTTL, .seconds(60))
            #expect((rejection?.code == .notAnApprover) == Set(clauses.allGroups).isDisjoint(with: mine))
            if rejection == nil { approved.formUnion(mine) }
            let isPending = gate.scenario.state.accessRequests[request]?.isPending
            #expect(isPending == !Self.meets(Array(approved), clauses.groups))
        }
    }
}
