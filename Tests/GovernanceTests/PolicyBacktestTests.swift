import Domain
import Governance
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
