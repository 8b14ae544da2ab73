import Domain
import Foundation
import Governance

/// How many calls a second a backtest judges on one thread, by how many of them differ: processor time, without reading
/// them from the log.
@main
struct BacktestBenchmark {
    private static let calls = 200_000
    private static let agents = 50
    private static let rounds = 5

    static func main() throws {
        let empty = try backtest()
        for different in [1_000, 20_000, calls] {
            var rates: [Double] = []
            let recorded = (0..<calls).map { call($0 % different) }
            for _ in 0..<rounds {
                var backtest = empty
                let begin = clock()
                for (index, call) in recorded.enumerated() {
                    backtest.add(
                        call, then: .allow, of: RunID(UUIDValue(high: 1, low: UInt64(index))),
                        at: Position(UInt64(index + 1)))
                }
                rates.append(Double(calls) * Double(CLOCKS_PER_SEC) / Double(clock() - begin))
                precondition(backtest.callCount == UInt64(calls) && backtest.tallies.count > 2)
            }
            rates.sort()
            print("| \(different) different addresses | \(Int(rates[0])) to \(Int(rates[rounds - 1])) calls/s |")
        }
    }

    /// Two policies of 11 rules for each agent, and a proposed one of 13 in the place of one of them.
    private static func backtest() throws -> PolicyBacktest {
        let tools = try (0..<4).map { number in
            try GovernedTool(
                name: "tool-\(number)",
                document: JSONValue(
                    parsing: Array(#"{"spec":{"connection":{"baseUrl":"https://api-\#(number).example.com/v1"}}}"#.utf8)
                ))
        }
        return PolicyBacktest(
            agents: (0..<agents).map {
                GovernedAgent(name: "agent-\($0)", requiredTools: [], policyNames: ["base", "limits"])
            },
            tools: tools,
            policies: [
                BoundPolicy(name: "base", .policy(try policy(11, seed: 0))),
                BoundPolicy(name: "limits", .policy(try policy(11, seed: 3))),
            ],
            name: "limits", proposed: try policy(13, seed: 5), examplesMax: 5)
    }

    private static func policy(_ count: Int, seed: Int) throws -> Policy {
        Policy(
            rules: try (0..<count).map { index in
                let number = index + seed
                let permission: PolicyPermission =
                    number % 5 == 0 ? .deny : number % 5 == 1 ? .approvalRequired : .allow
                let narrow = permission == .allow ? "" : "/orders/\(number)"
                return PolicyRule(
                    permission, try ResourcePattern("https://api-\(number % 4).example.com/v1\(narrow)/*"),
                    CallMethods(number % 3 == 0 ? ["POST", "DELETE"] : ["GET", "POST"]) ?? .all)
            })
    }

    private static func call(_ number: Int) -> BacktestCall {
        BacktestCall(
            agent: "agent-\(number % agents)", tool: "tool-\(number % 4)", method: number % 3 == 0 ? "POST" : "GET",
            address: .url("https://api-\(number % 4).example.com/v1/orders/\(number)/items?page=\(number % 9)"))
    }
}
