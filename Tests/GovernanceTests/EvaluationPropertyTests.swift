import Domain
import Governance
import Testing

/// What holds for any rules and calls; they are made of numbers with a seed, so that a failure comes again.
@Suite struct EvaluationPropertyTests {
    private static let paths = ["/a", "/a/b", "/admin", "/%61/b", "/a/../admin", "/A/B", "//a", "/a%2Fb"]
    private static let resources = [
        "*", "https://api.x.com", "https://api.x.com/*", "https://api.x.com/a", "https://api.x.com/a*",
        "https://api.x.com/a/*", "https://api.x.com/admin*",
    ]
    private static let methods = [[], ["GET"], ["POST"], ["GET", "POST"]]

    private struct World {
        var rules: [(policy: String, rule: PolicyRule)]
        var call: CallFacts
        var tool: GovernedTool

        func verdict(_ rules: [(policy: String, rule: PolicyRule)]) -> Verdict {
            let names = Set(rules.map(\.policy))
            let policies = names.map { name in
                BoundPolicy(name: name, .policy(Policy(rules: rules.filter { $0.policy == name }.map(\.rule))))
            }
            return PolicyEvaluation.decide(call: call, tool: tool, policies: policies)
        }
    }

    private static func rule(_ random: inout Numbers, _ permission: PolicyPermission? = nil) throws -> PolicyRule {
        try Fixture.rule(
            permission ?? random.one(of: PolicyPermission.allCases), random.one(of: resources), random.one(of: methods))
    }

    private static func world(_ random: inout Numbers) throws -> World {
        let rules = try (0...random.below(6)).map { _ in (random.one(of: ["p", "q"]), try rule(&random)) }
        let url = "https://api.x.com" + random.one(of: paths)
        return World(rules: rules, call: Fixture.call(random.one(of: ["GET", "POST"]), url), tool: try Fixture.tool())
    }

    @Test(arguments: 0..<300)
    func theOrderOfRulesAndPoliciesDoesNotMatter(seed: Int) throws {
        var random = Numbers(seed)
        let world = try Self.world(&random)
        let first = world.verdict(world.rules)
        for _ in 0..<4 { #expect(world.verdict(world.rules.shuffled(using: &random)).permission == first.permission) }
        #expect(world.verdict(world.rules) == first)
    }

    @Test(arguments: 0..<300)
    func oneMoreAllowTurnsNoDenyIntoAnAllow(seed: Int) throws {
        var random = Numbers(seed)
        let world = try Self.world(&random)
        let before = world.verdict(world.rules)
        let after = world.verdict(world.rules + [("p", try Self.rule(&random, .allow))])
        switch before.decision {
        case .deny(.policy): #expect(after.permission == .deny)
        case .approvalRequired: #expect(after.permission == .approvalRequired)
        case .deny, .allow: break
        }
    }

    @Test(arguments: 0..<300)
    func oneMoreDenyOnlyTakesAway(seed: Int) throws {
        var random = Numbers(seed)
        let world = try Self.world(&random)
        let before = world.verdict(world.rules)
        let after = world.verdict(world.rules + [("q", try Self.rule(&random, .deny))])
        #expect(after.permission == .deny || after.permission == before.permission)
        let all = world.verdict(world.rules + [("q", try Fixture.rule(.deny))])
        #expect(all.permission == .deny)
    }
}

/// splitmix64.
struct Numbers: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: Int) { state = UInt64(truncatingIfNeeded: seed) }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }

    mutating func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }

    mutating func one<Element>(of elements: [Element]) -> Element { elements[below(elements.count)] }
}
