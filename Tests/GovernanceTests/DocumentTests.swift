import Domain
import Governance
import Testing

@Suite struct DocumentTests {
    @Test(arguments: [
        (#"{"policies":{}}"#, "spec.policies must be an array"),
        (#"{"policies":[1]}"#, "spec.policies must be an array of objects"),
        (#"{"policies":[{"permission":"allow"},{}]}"#, "spec.policies[1].permission is required"),
        (#"{"policies":[{"permission":"maybe"}]}"#, "permission must be one of allow, deny, approval_required"),
        (#"{"policies":[{"permission":1}]}"#, "spec.policies[0].permission must be a string"),
        (#"{"policies":[{"permission":"deny","resource":"x"}]}"#, "spec.policies[0].resource must begin with http"),
        (#"{"policies":[{"permission":"deny","operations":["GE T"]}]}"#, "spec.policies[0].operations must be HTTP"),
        (#"{"policies":[{"permission":"deny","operations":[""]}]}"#, "spec.policies[0].operations must be an array of"),
        (#"{"policies":[{"permission":"deny","tags":[7]}]}"#, "spec.policies[0].tags must be an array of strings"),
        (#"{"rules":[{"permission":"deny","tags":"t"}]}"#, "spec.rules[0].tags must be an array"),
        (#"{"approvals":[{"approvers":[]}]}"#, "spec.approvals[0].approvers must be an object"),
        (#"{"approvals":[{"approvers":{"groups":["a\"b"]}}]}"#, "spec.approvals[0].approvers.groups must be names"),
        (#"{"approvals":[{"approvers":{"match":"most"}}]}"#, "approvers.match must be one of any, all"),
        (#"{"approvals":[{"defaultDuration":"soon"}]}"#, "spec.approvals[0].defaultDuration must be a duration"),
        (#"{"approvals":[{"requireSignature":"yes"}]}"#, "spec.approvals[0].requireSignature must be true or false"),
        (#"{"approvals":[{"delivery":{"fallbackToUI":"yes"}}]}"#, "delivery.fallbackToUI must be true or false"),
    ])
    func aWrongPolicyIsRefusedByTheNameOfTheMember(spec: String, message: String) throws {
        let error = #expect(throws: InvalidDocument.self) { try Fixture.policy(spec) }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test(arguments: [
        (#"{"policy":[]}"#, #""policy", which decides nothing: use policies, rules, approvals, or description"#),
        (
            #"{"policies":[{"permission":"allow","operation":["GET"]}]}"#,
            #"spec.policies[0] has an unknown member "operation""#
        ),
        (
            #"{"rules":[{"permission":"deny"},{"permission":"deny","tag":[]}]}"#,
            #"spec.rules[1] has an unknown member "tag""#
        ),
        (#"{"approvals":[{"toolIDs":["a"]}]}"#, #"spec.approvals[0] has an unknown member "toolIDs""#),
        (
            #"{"approvals":[{"approvers":{"group":["a"]}}]}"#,
            #"spec.approvals[0].approvers has an unknown member "group""#
        ),
        (
            #"{"approvals":[{"delivery":{"modes":"all"}}]}"#,
            #"spec.approvals[0].delivery has an unknown member "modes""#
        ),
    ])
    func aMisspelledMemberIsNamed(spec: String, message: String) throws {
        let warnings = Policy.unknownMembers(spec: try Fixture.json(spec))
        #expect(warnings.count == 1 && warnings[0].contains(message), "\(warnings)")
        #expect(throws: Never.self) { try Fixture.policy(spec) }
    }

    @Test func unknownMembersAndNullsArePassedOver() throws {
        let policy = try Fixture.policy(
            #"{"more":1,"approvals":null,"policies":[{"permission":"Allow","resource":null,"operations":["*"],"x":{}}]}"#
        )
        #expect(policy.rules == [PolicyRule(.allow, .everything)] && policy.approvals.isEmpty)
    }

    @Test(arguments: [
        (#"{}"#, "spec.connection is required"), (#"{"connection":{}}"#, "spec.connection.baseUrl is required"),
        (#"{"connection":{"baseUrl":"https://x?q"}}"#, "spec.connection.baseUrl must have no query"),
        (
            #"{"connection":{"baseUrl":"https://x"},"governance":{"accessControl":{"mode":"Free"}}}"#,
            "spec.governance.accessControl.mode must be one of Open, Restricted, Critical"
        ),
        (
            #"{"connection":{"baseUrl":"https://x"},"capabilities":[{"path":"a"}]}"#,
            "spec.capabilities[0].path must begin"
        ),
        (#"{"connection":{"baseUrl":"https://x"},"capabilities":[{"path":"/a*b*"}]}"#, "at most one * in a segment"),
        (#"{"connection":{"baseUrl":"https://x"},"capabilities":[{"method":"GE T"}]}"#, "capabilities[0].method"),
    ])
    func aWrongToolIsRefusedByTheNameOfTheMember(spec: String, message: String) throws {
        let error = #expect(throws: InvalidDocument.self) {
            try GovernedTool(name: "x", spec: Fixture.json(spec))
        }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test func aToolIsReadWithItsDefaults() throws {
        let tool = try Fixture.tool()
        #expect(tool.accessMode == .restricted && !tool.requiresApproval && tool.authentication == .none)
        #expect(tool.timeout == nil && !tool.isInternal && tool.capabilities.isEmpty)
    }

    @Test func anAgentIsReadFromItsDeploy() throws {
        let document = #"{"spec":{"requiredTools":[{"name":"x"},{"name":"y"}]},"policies":["b","a","b"]}"#
        let agent = GovernedAgent(name: "billing", document: try Fixture.json(document))
        #expect(agent.requiredTools == ["x", "y"] && agent.policyNames == ["a", "b"])
    }
}
