import Domain
import Governance
import Testing

/// Requirements of several policies add up: whatever else asks, no policy's own requirement is lost.
@Suite struct RequirementPropertyTests {
    private static let groups = ["a", "b", "c", "d"]
    private static let settingsMax: Duration = .seconds(7 * 86_400)

    private struct World {
        var policies: [(name: String, rules: [String], approvals: [String])]
        let tool: GovernedTool

        func requirement(_ order: [Int]? = nil) throws -> ApprovalRequirement? {
            let bound = try policies.map { policy in
                let spec =
                    #"{"policies":[\#(policy.rules.joined(separator: ","))],"#
                    + #""approvals":[\#(policy.approvals.joined(separator: ","))]}"#
                return BoundPolicy(name: policy.name, .policy(try Fixture.policy(spec)))
            }
            let verdict = PolicyEvaluation.decide(
                call: Fixture.call("POST"), tool: tool, policies: (order ?? Array(bound.indices)).map { bound[$0] })
            guard case .approvalRequired(_, let requirement) = verdict.decision else { return nil }
            return requirement
        }
    }

    private static let ask = #"{"permission":"approval_required"}"#

    private static func approval(_ random: inout Numbers, _ number: Int) -> String {
        let count = random.below(4)
        let chosen = groups.shuffled(using: &random).prefix(count).map { "\"\($0)\"" }.joined(separator: ",")
        return
            #"{"name":"n\#(number)","approvers":{"groups":[\#(chosen)],"match":"\#(random.one(of: ["any", "all"]))"}"#
            + random.one(of: ["", #","toolIds":["x"]"#, #","toolIds":["y"]"#, #","operations":["POST"]"#])
            + random.one(of: ["", #","defaultDuration":"30m""#, #","maxDuration":"30d""#, #","maxDuration":"1h""#])
            + random.one(of: ["", "", #","requireSignature":true"#]) + "}"
    }

    private static func policy(_ random: inout Numbers, _ name: String) -> (String, [String], [String]) {
        let rules = (0..<random.below(3)).map { _ in
            random.one(of: [
                ask, #"{"permission":"allow"}"#, #"{"permission":"approval_required","operations":["GET"]}"#,
            ])
        }
        return (name, rules, (0..<random.below(3)).map { approval(&random, $0) })
    }

    private static func world(_ random: inout Numbers) throws -> World {
        let names = ["p", "q", "r"].prefix(1 + random.below(3))
        let tool = try Fixture.tool(
            random.one(of: [
                "", "", #","requireApproval":true"#, #","governance":{"accessControl":{"mode":"Critical"}}"#,
            ]))
        return World(policies: names.map { policy(&random, $0) }, tool: tool)
    }

    /// The sets of groups whose approvals meet a requirement, by its meaning.
    private static func approvals(meeting requirement: ApprovalRequirement) -> Set<Int> {
        let clauses =
            requirement.mixedClauses.isEmpty
            ? (requirement.match == .all
                ? requirement.groups.map { [$0] } : requirement.groups.isEmpty ? [] : [requirement.groups])
            : requirement.mixedClauses
        return Set(
            (0..<16).filter { bits in
                clauses.allSatisfy { clause in
                    groups.indices.contains { bits >> $0 & 1 == 1 && clause.contains(groups[$0]) }
                }
            })
    }

    private static func longest(_ requirement: ApprovalRequirement) -> Duration {
        guard let stated = requirement.durationMax else { return settingsMax }
        return requirement.isLimitedBySettings ? min(stated, settingsMax) : stated
    }

    private static func expect(_ after: ApprovalRequirement?, isNoWeakerThan before: ApprovalRequirement) throws {
        let after = try #require(after)
        #expect(approvals(meeting: after).isSubset(of: approvals(meeting: before)))
        #expect(after.needsSignature || !before.needsSignature)
        #expect(longest(after) <= longest(before))
    }

    @Test(arguments: 0..<400)
    func onePolicyOrRuleMoreThatAsksNeverWeakensTheRequirement(seed: Int) throws {
        var random = Numbers(seed)
        let world = try Self.world(&random)
        guard let before = try world.requirement() else { return }
        var more = world
        var policy = Self.policy(&random, random.one(of: ["a", "pp", "z"]))
        policy.1.append(Self.ask)
        more.policies.append(policy)
        try Self.expect(try more.requirement(), isNoWeakerThan: before)
        for index in world.policies.indices {
            var asking = world
            asking.policies[index].rules.append(Self.ask)
            try Self.expect(try asking.requirement(), isNoWeakerThan: before)
        }
    }

    @Test(arguments: 0..<400)
    func theRequirementIsThatOfEachPolicyThatAsks(seed: Int) throws {
        var random = Numbers(seed)
        var world = try Self.world(&random)
        for index in world.policies.indices {
            world.policies[index].rules = [Self.ask]
            world.policies[index].approvals.append(#"{"name":"last","approvers":{"groups":["a","b"]}}"#)
        }
        let plain = try Fixture.tool()
        let alone = try world.policies.map { try World(policies: [$0], tool: plain).requirement() }.compactMap(\.self)
        let together = try #require(try World(policies: world.policies, tool: plain).requirement())
        let expected = alone.map { Self.approvals(meeting: $0) }.reduce(Set(0..<16)) { $0.intersection($1) }
        #expect(Self.approvals(meeting: together) == expected)
        #expect(together.needsSignature == alone.contains(where: \.needsSignature))
        #expect(Self.longest(together) == alone.map(Self.longest).min())
    }

    @Test(arguments: 0..<100)
    func theOrderOfPoliciesDoesNotMatter(seed: Int) throws {
        var random = Numbers(seed)
        let world = try Self.world(&random)
        let first = try world.requirement()
        for _ in 0..<3 {
            #expect(try world.requirement(world.policies.indices.shuffled(using: &random)) == first)
        }
    }

    @Test func everyoneIsToldWhomAnyOfThePoliciesTells() throws {
        func told(_ deliveries: String...) throws -> ApprovalDelivery {
            let policies = deliveries.enumerated().map { number, delivery in
                ("p\(number)", [Self.ask], [#"{"approvers":{"groups":["g\#(number)"]}\#(delivery)}"#])
            }
            return try #require(try World(policies: policies, tool: try Fixture.tool()).requirement()).delivery
        }
        let one = #","delivery":{"connectors":["slack"],"mode":"first_success","fallbackToUI":true}"#
        #expect(try told(one).mode == "first_success")
        #expect(try told(one, one) == told(one))
        let both = try told(one, #","delivery":{"connectors":["mail","slack"],"fallbackToUI":false}"#)
        #expect(both.connectors == ["slack", "mail"] && both.mode == "all" && both.fallsBackToUI == false)
        #expect(!both.includesDefaults)
        #expect(try told(one, "").includesDefaults, "a policy that names no connectors leaves it to the defaults")
    }
}
