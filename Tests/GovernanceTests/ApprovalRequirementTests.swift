import Domain
import Governance
import Testing

@Suite struct ApprovalRequirementTests {
    private static let ask = #"{"permission":"approval_required"}"#

    private func requirement(_ approvals: [String], tool: GovernedTool? = nil) throws -> ApprovalRequirement {
        let spec = #"{"policies":[\#(Self.ask)],"approvals":[\#(approvals.joined(separator: ","))]}"#
        return try requirement([BoundPolicy(name: "p", .policy(try Fixture.policy(spec)))], tool: tool)
    }

    private func requirement(_ policies: [BoundPolicy], tool: GovernedTool? = nil) throws -> ApprovalRequirement {
        let verdict = PolicyEvaluation.decide(
            call: Fixture.call("POST"), tool: try tool ?? Fixture.tool(), policies: policies)
        guard case .approvalRequired(_, let requirement) = verdict.decision else {
            throw InvalidDocument("no approval is required")
        }
        return requirement
    }

    @Test func withoutARuleAnyApproverDecidesForFourHours() throws {
        #expect(try requirement([String]()) == .default)
        #expect(ApprovalRequirement.default.groups == [] && ApprovalRequirement.default.duration == .seconds(14_400))
        #expect(try requirement([#"{"name":"other","toolIds":["y"],"approvers":{"groups":["g"]}}"#]) == .default)
    }

    @Test func aRuleSaysWhoAndForHowLong() throws {
        let found = try requirement([
            #"{"name":"n","approvers":{"groups":["legal","finance"],"match":"all"},"defaultDuration":"30m"}"#
        ])
        #expect(found.name == "n" && found.groups == ["finance", "legal"] && found.match == .all)
        #expect(found.duration == .seconds(1800))
    }

    @Test(
        arguments: [
            (#""#, 14_400, nil), (#","defaultDuration":"30m""#, 1800, 1800), (#","maxDuration":"2d""#, 14_400, 172_800),
            (#","maxDuration":"1h""#, 3600, 3600), (#","defaultDuration":"30m","maxDuration":"2h""#, 1800, 7200),
            (#","defaultDuration":"2h","maxDuration":"30m""#, 1800, 1800),
        ] as [(String, Int, Int?)])
    func aRuleLimitsHowLongAGrantLasts(members: String, duration: Int, longest: Int?) throws {
        let found = try requirement([#"{"name":"n"\#(members)}"#])
        #expect(found.duration == .seconds(duration) && found.durationMax == longest.map { .seconds($0) })
    }

    @Test func theClosestRuleIsTakenInWhateverOrder() throws {
        let rules = [
            #"{"name":"tool","toolIds":["x"]}"#, #"{"name":"capability","capabilities":["POST /a"]}"#,
            #"{"name":"resource","resource":"https://api.x.com/*"}"#, #"{"name":"tags","tags":["money"]}"#,
            #"{"name":"operations","operations":["POST"]}"#, #"{"name":"any"}"#,
        ]
        let members = #","riskTags":["money"],"capabilities":[{"method":"POST","path":"/a"}]"#
        for start in rules.indices {
            let expected = try Fixture.json(rules[start])["name"]?.string
            for order in [Array(rules[start...]), rules[start...].reversed()] {
                #expect(try requirement(order, tool: Fixture.tool(members)).name == expected)
            }
        }
    }

    /// The path is the agent's to spell: no spelling takes approvers away that a plain one would need.
    @Test(arguments: [
        ("/public/a", ["interns"]), ("/pay/a", ["finance"]), ("/public/x%2F..%2F..%2Fpay%2Fa", ["finance", "interns"]),
        ("/public/..%5cpay/a", ["finance", "interns"]), ("/public/..;/pay/a", ["finance", "interns"]),
        ("/PAY/a", ["finance"]), ("/PUBLIC/a", ["interns"]), ("/x%2F..%2Fpay/a", ["finance"]), ("/other", []),
    ])
    func aRuleOfOneReadingAddsToTheClosestRuleOfAll(path: String, groups: [String]) throws {
        let rules = [
            #"{"name":"open","resource":"https://api.x.com/public/*","operations":["POST"],"maxDuration":"1h","#
                + #""approvers":{"groups":["interns"]}}"#,
            #"{"name":"pay","resource":"https://api.x.com/pay/*","approvers":{"groups":["finance"]}}"#,
        ]
        for order in [rules, rules.reversed()] {
            let policy = try Fixture.policy(
                #"{"policies":[\#(Self.ask)],"approvals":[\#(order.joined(separator: ","))]}"#)
            let verdict = PolicyEvaluation.decide(
                call: Fixture.call("POST", "https://api.x.com" + path), tool: try Fixture.tool(),
                policies: [BoundPolicy(name: "p", .policy(policy))])
            guard case .approvalRequired(_, let found) = verdict.decision else {
                Issue.record("no approval is required")
                return
            }
            #expect(found.groups == groups && (groups.count < 2 || found.match == .all))
        }
    }

    @Test func aPolicyWhoseRuleIsOfOneReadingAloneLeavesTheRestToAllPolicies() throws {
        func policy(_ name: String, _ permission: String, _ approval: String) throws -> BoundPolicy {
            let spec = #"{"policies":[{"permission":"\#(permission)"}],"approvals":[\#(approval)]}"#
            return BoundPolicy(name: name, .policy(try Fixture.policy(spec)))
        }
        let bound = [
            try policy(
                "asks", "approval_required",
                #"{"name":"open","resource":"https://api.x.com/a%2Fb","approvers":{"groups":["interns"]}}"#),
            try policy("other", "allow", #"{"name":"all","approvers":{"groups":["finance"]}}"#),
        ]
        let verdict = PolicyEvaluation.decide(
            call: Fixture.call("POST", "https://api.x.com/a/b"), tool: try Fixture.tool(), policies: bound)
        guard case .approvalRequired(_, let found) = verdict.decision else {
            Issue.record("no approval is required")
            return
        }
        #expect(found.groups == ["finance", "interns"] && found.match == .all)
    }

    @Test func ofEquallyCloseRulesTheStrictestIsTaken() throws {
        let rules = [
            #"{"name":"a","approvers":{"groups":["g","h"],"match":"all"}}"#,
            #"{"name":"b","approvers":{"groups":["g"]},"defaultDuration":"1h"}"#,
            #"{"name":"c","approvers":{"groups":["g"]},"defaultDuration":"2h"}"#,
            #"{"name":"d","approvers":{"groups":["g","h"]}}"#, #"{"name":"e"}"#,
        ]
        for start in rules.indices {
            let expected = try Fixture.json(rules[start])["name"]?.string
            #expect(try requirement(Array(rules[start...].reversed())).name == expected)
        }
    }

    @Test func aSignatureIsNeededWhenAnyOfTheClosestRulesWantsIt() throws {
        let signing = #"{"name":"signed","requireSignature":true,"toolIds":["x"]}"#
        let groups = #"{"name":"groups","toolIds":["x"],"approvers":{"groups":["g"]}}"#
        #expect(try requirement([signing]).needsSignature)
        #expect(!(try requirement([groups]).needsSignature))
        for order in [[signing, groups], [groups, signing]] {
            let found = try requirement(order)
            #expect(found.name == "groups" && found.needsSignature)
        }
        let closer = #"{"name":"closer","toolIds":["x"],"operations":["POST"]}"#
        #expect(!(try requirement([signing, closer]).needsSignature), "a closer rule says who, and how")
    }

    @Test func thePolicyThatAsksGoesBeforeOthers() throws {
        let asking = try Fixture.policy(#"{"policies":[\#(Self.ask)],"approvals":[{"name":"mine"}]}"#)
        let other = try Fixture.policy(#"{"approvals":[{"name":"closer","toolIds":["x"]}]}"#)
        let policies = [BoundPolicy(name: "z", .policy(asking)), BoundPolicy(name: "a", .policy(other))]
        #expect(try requirement(policies).name == "mine")
        let both = [policies[0], BoundPolicy(name: "a", .policy(asking))]
        #expect(try requirement(both).name == "mine", "of two that ask alike")
        let silent = BoundPolicy(name: "z", .policy(try Fixture.policy(#"{"policies":[\#(Self.ask)]}"#)))
        #expect(try requirement([silent, policies[1]]).name == "closer")
    }
}
