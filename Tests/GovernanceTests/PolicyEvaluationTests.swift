import Domain
import Governance
import Testing

@Suite struct PolicyEvaluationTests {
    private func decide(
        _ method: String = "GET", _ url: String = "https://api.x.com/a", tool: GovernedTool? = nil,
        agent: GovernedAgent = Fixture.agent, _ policies: [BoundPolicy] = []
    ) throws -> Verdict {
        PolicyEvaluation.decide(
            call: Fixture.call(method, url, by: agent), tool: try tool ?? Fixture.tool(), policies: policies)
    }

    @Test func anUnknownToolIsDenied() {
        let verdict = PolicyEvaluation.decide(call: Fixture.call(), tool: nil, policies: [])
        #expect(verdict.decision == .deny(.unknownTool("x")) && verdict.url == nil)
    }

    @Test(arguments: [
        "https://other.com/v1/a", "http://api.x.com/v1/a", "https://api.x.com:8443/v1/a", "https://api.x.com/v2",
        "https://api.x.com/v10", "https://api.x.com/v1/../v2", "https://api.x.com/v1/%2e%2e%2Fv2",
    ])
    func aCallOutsideTheToolIsDenied(url: String) throws {
        let tool = try Fixture.tool(#","governance":{"accessControl":{"mode":"Open"}}"#, base: "https://api.x.com/v1/")
        #expect(try decide("GET", url, tool: tool).rule == .outsideTool("https://api.x.com/v1/"))
        #expect(try decide("GET", "https://api.x.com/v1", tool: tool).permission == .allow)
    }

    @Test func aURLThatCannotBeJudgedIsDenied() throws {
        #expect(try decide("GET", "https://api.x.com/%00").rule == .invalidURL("has an escaped NUL"))
    }

    @Test func theStrictestPermissionDecides() throws {
        let allow = try Fixture.rule(.allow)
        let ask = try Fixture.rule(.approvalRequired, "https://api.x.com/*", ["POST", "delete"])
        let deny = try Fixture.rule(.deny, "https://api.x.com/*", ["DELETE"])
        let policies = Fixture.bound(allow, ask, deny)
        #expect(try decide("GET", policies).decision == .allow(.policy(name: "p", index: 0, allow)))
        #expect(try decide("post", policies).permission == .approvalRequired)
        #expect(try decide("DELETE", policies).decision == .deny(.policy(name: "p", index: 2, deny)))
    }

    private func decide(_ method: String, _ policies: [BoundPolicy]) throws -> Verdict {
        try decide(method, "https://api.x.com/a", policies)
    }

    @Test func whatNoRuleCoversIsDenied() throws {
        let policies = Fixture.bound(try Fixture.rule(.allow, "https://api.x.com/b"))
        #expect(try decide("GET", policies).decision == .deny(.defaultDeny))
        let open = try Fixture.tool(#","governance":{"accessControl":{"mode":"Open"}}"#)
        #expect(try decide(tool: open, policies).decision == .deny(.defaultDeny))
        #expect(try decide(tool: open, [BoundPolicy(name: "empty", .policy(Policy(rules: [])))]).permission == .deny)
    }

    @Test(arguments: [BoundPolicy.Content.missing, .unreadable("spec is required")])
    func aBoundPolicyThatCannotBeAskedDenies(content: BoundPolicy.Content) throws {
        let policies = Fixture.bound(try Fixture.rule(.allow)) + [BoundPolicy(name: "gone", content)]
        guard case .deny(.unusablePolicy(name: "gone", _)) = try decide("GET", policies).decision else {
            Issue.record("the call is not denied for the policy")
            return
        }
    }

    @Test func tagsAreThoseOfTheToolItsCapabilityAndTheCall() throws {
        let members = #","riskTags":["PII"],"capabilities":[{"path":"/a","riskTags":["money"]},{"path":"/b"}]"#
        let tool = try Fixture.tool(members)
        for (tag, url, denied) in [
            ("pii", "/b", true), ("MONEY", "/a", true), ("money", "/b", false), ("other", "/a", false),
        ] {
            let policies = Fixture.bound(try Fixture.rule(.allow), try Fixture.rule(.deny, "*", tags: [tag, "unused"]))
            #expect(try (decide("GET", "https://api.x.com" + url, tool: tool, policies).permission == .deny) == denied)
        }
        let call = CallFacts(
            agent: Fixture.agent, tool: "x", method: "GET", url: "https://api.x.com/b", tags: RiskTags(["bulk"]))
        let policies = Fixture.bound(try Fixture.rule(.allow), try Fixture.rule(.deny, "*", tags: ["bulk"]))
        #expect(PolicyEvaluation.decide(call: call, tool: tool, policies: policies).permission == .deny)
        let ofTheTool = Fixture.bound(try Fixture.rule(.allow), try Fixture.rule(.deny, "*", tags: ["pii"]))
        #expect(PolicyEvaluation.decide(call: call, tool: tool, policies: ofTheTool).permission == .deny)
        #expect(try decide("GET", ofTheTool).permission == .allow, "this tool has no tags")
    }

    @Test(arguments: [
        ("Open", false, false, PolicyPermission.allow), ("Open", true, false, .approvalRequired),
        ("Restricted", false, false, .deny), ("Restricted", false, true, .allow),
        ("Restricted", true, false, .deny), ("Restricted", true, true, .approvalRequired),
        ("Critical", false, false, .approvalRequired), ("critical", false, true, .approvalRequired),
    ])
    func withoutPoliciesTheAccessModeDecides(
        mode: String, asks: Bool, isBound: Bool, expected: PolicyPermission
    ) throws {
        let access = #"{"mode":"\#(mode)","requireApproval":\#(asks)}"#
        let tool = try Fixture.tool(#","governance":{"accessControl":\#(access)}"#)
        let agent = GovernedAgent(name: "billing", requiredTools: isBound ? ["x"] : ["y"], policyNames: [])
        #expect(try decide(tool: tool, agent: agent).permission == expected)
    }

    @Test(arguments: [#"{"accessControl":{"mode":"Critical"}}"#, #"{"requireApproval":true}"#])
    func aToolThatAsksForApprovalIsNotOverruledByAnAllow(governance: String) throws {
        let tool = try Fixture.tool(#","governance":\#(governance)"#)
        #expect(try decide(tool: tool, Fixture.bound(try Fixture.rule(.allow))).permission == .approvalRequired)
        #expect(try decide(tool: tool, Fixture.bound(try Fixture.rule(.deny))).permission == .deny)
    }

    @Test func aCallThatIsNoCapabilityIsDeniedBeforeAnybodyIsAsked() throws {
        let tool = try Fixture.tool(#","capabilities":[{"method":"GET","path":"/a/*"}]"#)
        for permission in [PolicyPermission.allow, .approvalRequired] {
            let policies = Fixture.bound(try Fixture.rule(permission))
            #expect(try decide("POST", "https://api.x.com/a/b", tool: tool, policies).decision == .deny(.noCapability))
            #expect(try decide("GET", "https://api.x.com/a/b", tool: tool, policies).permission == permission)
        }
    }

    @Test func aDeniedCallHasNoURLToForward() throws {
        let verdict = try decide("GET", Fixture.bound(try Fixture.rule(.deny)))
        #expect(verdict.permission == .deny && verdict.url == nil && verdict.capability == nil)
    }

    @Test func theURLToForwardIsTheOneThatWasJudged() throws {
        let verdict = try decide("GET", "https://API.x.com:443/b/../%61?q", Fixture.bound(try Fixture.rule(.allow)))
        #expect(verdict.url?.text == "https://api.x.com/a?q")
    }

    @Test func theExplanationNamesEachStepAndTheRule() throws {
        let steps = try decide("GET", Fixture.bound(try Fixture.rule(.allow), name: "reads")).explanation.steps
        #expect(steps.map(\.stage) == [.tool, .url, .policies, .rules, .rules, .capability])
        #expect(steps[4].finding == #"allow decides: policy "reads", rule 1: allow any method on *"#)
    }
}
