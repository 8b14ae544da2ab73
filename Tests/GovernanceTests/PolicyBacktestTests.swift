import Domain
import Governance
import TestSupport
import Testing

/// A backtest is the evaluation of each call, counted; what it keeps to be fast changes nothing.
@Suite struct PolicyBacktestTests {
    private static let run = RunID(UUIDValue(high: 1, low: 1))
    private static let paths = ["/a", "/a/b", "/admin", "/a?x=1", "/a?x=2", "/%61/b", "/other"]

    private static func backtest(
        _ proposed: Policy, boundTo: Set<String> = [], examples: Int = 3, judgementsMax: Int = 50
    ) throws -> PolicyBacktest {
        PolicyBacktest(
            agents: [
                GovernedAgent(name: "bound", requiredTools: [], policyNames: ["p"]),
                GovernedAgent(name: "other", requiredTools: [], policyNames: ["q"]),
                GovernedAgent(name: "free", requiredTools: ["x"], policyNames: []),
            ],
            tools: [try Fixture.tool()],
            policies: [
                BoundPolicy(name: "p", .policy(Policy(rules: [try Fixture.rule(.allow, "https://api.x.com/a*")]))),
                BoundPolicy(name: "q", .policy(Policy(rules: [try Fixture.rule(.approvalRequired)]))),
            ],
            name: "p", proposed: proposed, boundTo: boundTo, examplesMax: examples, judgementsMax: judgementsMax)
    }

    private static func call(_ agent: String, _ method: String, _ path: String) -> BacktestCall {
        BacktestCall(agent: agent, tool: "x", method: method, address: .url("https://api.x.com" + path))
    }

    @Test func everyCallIsJudgedAsTheGateWouldJudgeIt() throws {
        let proposed = Policy(rules: [
            try Fixture.rule(.allow, "*", ["GET"]), try Fixture.rule(.deny, "https://api.x.com/admin*"),
        ])
        var backtest = try Self.backtest(proposed)
        var expected: [BacktestOutcome: UInt64] = [:]
        for round in 0..<3 {
            for agent in ["bound", "other", "free", "nobody"] {
                for method in ["GET", "POST"] {
                    for path in Self.paths {
                        let then = PolicyPermission.allCases[(round + path.utf8.count) % 3]
                        backtest.add(Self.call(agent, method, path), then: then, of: Self.run, at: Position(1))
                        let (today, after) = try Self.verdicts(agent, method, path, proposed)
                        expected[BacktestOutcome(then: then, today: today, proposed: after), default: 0] += 1
                    }
                }
            }
        }
        #expect(backtest.tallies.mapValues(\.count) == expected)
        #expect(backtest.callCount == UInt64(3 * 4 * 2 * Self.paths.count))
        #expect(backtest.boundAgents == ["bound"])
    }

    private static func verdicts(
        _ agent: String, _ method: String, _ path: String, _ proposed: Policy
    ) throws -> (PolicyPermission, PolicyPermission) {
        func permission(_ policies: [BoundPolicy], tools: [String] = []) throws -> PolicyPermission {
            PolicyEvaluation.decide(
                call: Fixture.call(
                    method, "https://api.x.com" + path,
                    by: GovernedAgent(name: agent, requiredTools: tools, policyNames: [])),
                tool: try Fixture.tool(), policies: policies
            ).permission
        }
        switch agent {
        case "bound":
            return (
                try permission([
                    BoundPolicy(name: "p", .policy(Policy(rules: [try Fixture.rule(.allow, "https://api.x.com/a*")])))
                ]), try permission([BoundPolicy(name: "p", .policy(proposed))])
            )
        case "other":
            let today = try permission([
                BoundPolicy(name: "q", .policy(Policy(rules: [try Fixture.rule(.approvalRequired)])))
            ])
            return (today, today)
        case "free":
            let today = try permission([], tools: ["x"])
            return (today, today)
        default:
            let today = try permission([])
            return (today, today)
        }
    }

    /// The rules that are left out, the short way for plain URLs and what is remembered change nothing: random policies
    /// and calls, beside the gate's own evaluation of each.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func anyCallIsJudgedAsTheGateWouldJudgeIt(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let tools = [
            try Fixture.tool(), try Fixture.tool(base: "https://API.x.com:8443/base/"),
            try Fixture.tool(#","riskTags":["money"],"governance":{"requireApproval":true}"#, base: "http://api.x.com"),
            try Fixture.tool(
                #","capabilities":[{"name":"read","path":"/a/*"},{"name":"w","path":"/b","riskTags":["pii"]}]"#),
        ]
        let tool = tools[Int(seed % 4)]
        let today = [
            BoundPolicy(name: "a", .policy(try Self.policy(&random))),
            BoundPolicy(name: "p", seed % 7 == 0 ? .missing : .policy(try Self.policy(&random))),
            BoundPolicy(name: "z", seed % 11 == 0 ? .unreadable("x") : .policy(try Self.policy(&random))),
        ]
        let proposed = try Self.policy(&random)
        let agent = GovernedAgent(name: "bound", requiredTools: [], policyNames: ["a", "p", "z"])
        let empty = PolicyBacktest(
            agents: [agent], tools: [tool], policies: today, name: "p", proposed: proposed, examplesMax: 0,
            judgementsMax: 3)
        for _ in 0..<150 {
            let url = Self.oddURL(&random)
            let method = ["GET", "get", "POST", "DELETE"].randomElement(using: &random) ?? ""
            var backtest = empty
            let call = BacktestCall(agent: "bound", tool: "x", method: method, address: .url(url))
            for _ in 0..<2 { backtest.add(call, then: .allow, of: Self.run, at: Position(1)) }
            func permission(_ policies: [BoundPolicy]) -> PolicyPermission {
                PolicyEvaluation.decide(
                    call: Fixture.call(method, url, by: agent), tool: tool, policies: policies
                ).permission
            }
            let outcome = BacktestOutcome(
                then: .allow, today: permission(today),
                proposed: permission([today[2], today[0], BoundPolicy(name: "p", .policy(proposed))]))
            #expect(backtest.tallies.mapValues(\.count) == [outcome: 2], "\(method) \(url)")
        }
    }

    private static func policy(_ random: inout SeededRandom) throws -> Policy {
        let hosts = [
            "https://api.x.com", "http://api.x.com", "https://api.x.com:8443/base", "https://api.x.com:8443",
            "http://api.x.com:443", "https://other.com", "http://127.0.0.1",
        ]
        let rules = try (0..<Int.random(in: 0...8, using: &random)).map { _ in
            let host = hosts.randomElement(using: &random) ?? ""
            let path =
                ["", "/*", "/a*", "/a", "/a/", "/a/b*", "/B", "/%61/b", "/b/*"].randomElement(using: &random) ?? ""
            return try Fixture.rule(
                PolicyPermission.allCases.randomElement(using: &random) ?? .deny,
                Int.random(in: 0..<6, using: &random) == 0 ? "*" : host + path,
                [[], ["GET"], ["post", "DELETE"]].randomElement(using: &random) ?? [],
                tags: [[], [], ["money"], ["PII"]].randomElement(using: &random) ?? [])
        }
        return Policy(rules: rules)
    }

    /// Mostly below a tool, often spelled in some other way than the plain one. No query, which a recorded URL has well
    /// formed, that is broken.
    private static func oddURL(_ random: inout SeededRandom) -> String {
        let starts = [
            "https://api.x.com", "https://api.x.com", "http://api.x.com", "https://api.x.com:8443/base",
            "https://API.X.com", "HTTPS://api.x.com:443", "https://api.x.com:", "https://api.x.com.",
            "https://u@api.x.com",
            "https://127.1", "http://10.0.0.8:81", "https://api.x.com:08443/base", "https://api.x.com:99999",
            "http://api.x.com:443",
        ]
        let pieces = [
            "/a", "/a", "/b", "/B", "/", "//", "/.", "/..", "/%61", "/%2561", "/%2e%2e", "/b;x=1", "/b.", "\\b",
            "/%5cb",
            "/a%2fb", "/%00", "/%zz", "/a b", "/é", ":@!$&'()*+,=", "/%3fx", "/A%3B", "/x-1_2~",
        ]
        let start = starts.randomElement(using: &random) ?? ""
        return start
            + (0..<Int.random(in: 0...4, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
            .joined()
            + (["", "", "", "?x=1", "?x=/../b", "#f", "?x#f"].randomElement(using: &random) ?? "")
    }

    /// The short way reads a URL as the long one does, or leaves it to that.
    @Test func aPlainURLIsReadAsAnyOther() throws {
        var random = SeededRandom(seed: 11)
        var texts = (0..<20_000).map { _ in Self.oddURL(&random) }
        let marks = Array("abAZ019-._~/:@%?#;\\[]!$&'()*+,= \u{7f}é")
        for text in texts.prefix(10_000) {
            var characters = Array(text)
            characters.insert(
                marks.randomElement(using: &random) ?? "a", at: Int.random(in: 0...characters.count, using: &random))
            texts.append(String(characters))
        }
        let longLabel = String(repeating: "a", count: 64)
        texts += ["", "https://", "https://a", "https://a:0/", "https://a:65535", "https://a:65536", "https://a..b/x"]
        texts += [
            "http://127.0.0.1:8080/a", "http://127.00.0.1/", "http://127.0.0.01", "http://255.255.255.255",
            "http://256.0.0.1/", "http://1.2.3.999999/", "http://1.2.3/", "http://1.2.3.4.5/", "http://1.2.3.4a/",
            "http://a.2.3.4/", "http://1.2.3.4", "http://0.0.0.0:80/x", "http://1.2.3.-4/",
            "https://\(longLabel)/", "https://1/", "https://a.1", "https://a.0x1f", "https://a.1b", "https://[::1]/",
        ]
        texts += [8_191, 8_192, 8_193].map { "https://a/" + String(repeating: "b", count: $0 - 10) }
        for text in texts {
            #expect(
                Result { () throws(InvalidURL) in try NormalizedURL(text) }
                    == Result { () throws(InvalidURL) in try NormalizedURL(inFull: text) }, "\(text)")
        }
    }

    @Test func anAgentCanBeBoundForTheQuestionAlone() throws {
        var backtest = try Self.backtest(Policy(rules: [try Fixture.rule(.deny)]), boundTo: ["free"])
        #expect(backtest.boundAgents == ["bound", "free"])
        backtest.add(Self.call("free", "GET", "/a"), then: .allow, of: Self.run, at: Position(7))
        let outcome = BacktestOutcome(then: .allow, today: .allow, proposed: .deny)
        let example = try #require(backtest.tallies[outcome]?.examples.first)
        #expect(example.position == Position(7) && example.reason.contains("policy \"p\", rule 1: deny"))
    }

    @Test func examplesAreOfChangesAloneAndNoMoreThanAreAskedFor() throws {
        var backtest = try Self.backtest(Policy(rules: [try Fixture.rule(.deny)]), examples: 2)
        for position in 1...9 {
            let call = Self.call("bound", "GET", "/a")
            backtest.add(call, then: .allow, of: Self.run, at: Position(UInt64(position)))
            backtest.add(Self.call("other", "GET", "/a"), then: .approvalRequired, of: Self.run, at: Position(99))
        }
        let changed = BacktestOutcome(then: .allow, today: .allow, proposed: .deny)
        let unchanged = BacktestOutcome(then: .approvalRequired, today: .approvalRequired, proposed: .approvalRequired)
        #expect(backtest.tallies[changed]?.examples.map(\.position.value) == [1, 2])
        #expect(backtest.tallies[changed]?.count == 9)
        #expect(backtest.tallies[unchanged]?.examples.isEmpty == true && backtest.tallies[unchanged]?.count == 9)
    }

    @Test func partsOfTheLogComeToTheSameAsTheWhole() throws {
        let proposed = Policy(rules: [try Fixture.rule(.allow, "*", ["GET"])])
        let empty = try Self.backtest(proposed)
        var (whole, first, second) = (empty, empty, empty)
        for number in 0..<400 {
            let path = Self.paths[number % Self.paths.count] + "/\(number % 90)"
            let call = Self.call(["bound", "other"][number % 2], ["GET", "POST"][number / 2 % 2], path)
            let position = Position(UInt64(number + 1))
            whole.add(call, then: .allow, of: Self.run, at: position)
            if number < 150 {
                first.add(call, then: .allow, of: Self.run, at: position)
            } else {
                second.add(call, then: .allow, of: Self.run, at: position)
            }
        }
        first.merge(second)
        #expect(first.tallies == whole.tallies && first.callCount == whole.callCount)
    }

    /// More addresses than are kept, twice: what was forgotten is judged again, and alike.
    @Test func whatIsForgottenIsJudgedAgain() throws {
        let proposed = Policy(rules: [
            try Fixture.rule(.allow), try Fixture.rule(.deny, "https://api.x.com/a/7*"),
        ])
        var backtest = try Self.backtest(proposed, judgementsMax: 10)
        let calls = (0..<100).map { Self.call("bound", "GET", "/a/\($0)") }
        for call in calls + calls + calls.reversed() { backtest.add(call, then: .allow, of: Self.run, at: Position(1)) }
        let denied = UInt64(3 * (0..<100).filter { String($0).hasPrefix("7") }.count)
        #expect(
            backtest.tallies.mapValues(\.count) == [
                BacktestOutcome(then: .allow, today: .allow, proposed: .deny): denied,
                BacktestOutcome(then: .allow, today: .allow, proposed: .allow): 300 - denied,
            ])
    }

    @Test func aCallThatWentNowhereIsJudgedBelowItsToolsAddress() throws {
        var backtest = try Self.backtest(Policy(rules: [try Fixture.rule(.allow, "https://api.x.com/late*")]))
        let call = BacktestCall(agent: "bound", tool: "x", method: "GET", address: .belowBase("/late?x=%zz"))
        backtest.add(call, then: .deny, of: Self.run, at: Position(1))
        let fine = BacktestCall(agent: "bound", tool: "x", method: "GET", address: .belowBase("/late?x=1"))
        backtest.add(fine, then: .deny, of: Self.run, at: Position(2))
        #expect(backtest.tallies[BacktestOutcome(then: .deny, today: .deny, proposed: .deny)]?.count == 1)
        #expect(backtest.tallies[BacktestOutcome(then: .deny, today: .deny, proposed: .allow)]?.count == 1)
    }
}
