import Domain
import Governance

/// Documents and calls as the tests write them.
enum Fixture {
    static func json(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

    static func policy(_ spec: String) throws -> Policy { try Policy(spec: json(spec)) }

    /// A tool at `https://api.x.com`; `members` are further members of its spec, with a comma before.
    static func tool(_ members: String = "", base: String = "https://api.x.com") throws -> GovernedTool {
        try GovernedTool(name: "x", spec: json(#"{"connection":{"baseUrl":"\#(base)"}\#(members)}"#))
    }

    static let agent = GovernedAgent(name: "billing", requiredTools: [], policyNames: [])

    static func call(
        _ method: String = "GET", _ url: String = "https://api.x.com/a", by agent: GovernedAgent = agent
    ) -> CallFacts {
        CallFacts(agent: agent, tool: "x", method: method, url: url)
    }

    static func rule(
        _ permission: PolicyPermission, _ resource: String = "*", _ methods: [String] = [], tags: [String] = []
    ) throws -> PolicyRule {
        PolicyRule(
            permission, try ResourcePattern(resource), CallMethods(methods) ?? .all, tags: RiskTags(tags))
    }

    static func bound(_ rules: PolicyRule..., name: String = "p") -> [BoundPolicy] {
        [BoundPolicy(name: name, .policy(Policy(rules: rules)))]
    }
}
