import Domain
import Execution
import Testing

@Suite struct AgentTokensTests {
    private let tokens = AgentTokens()
    private let agent = AgentTokens.Agent(workspace: .default, name: "payments")

    @Test func knowsItsTokensUntilTheyAreRemoved() {
        let (first, second) = (tokens.insert(agent), tokens.insert(agent))
        #expect(first != second && first.hasPrefix("ra_agent_") && first.utf8.count == 73)
        #expect(tokens.agent(of: first) == agent)
        tokens.remove(first)
        #expect(tokens.agent(of: first) == nil)
        #expect(tokens.agent(of: second[...]) == agent)
    }

    @Test func knowsNothingElse() {
        let token = tokens.insert(agent)
        for guess in [
            "", "ra_agent_", String(token.dropLast()), token + "0", token.uppercased(), String(token.dropFirst(9)),
        ] {
            #expect(tokens.agent(of: guess) == nil)
        }
    }

    @Test func namesTheInvokesOfAnInstance() {
        let invokes = InstanceInvokes()
        let (token, other) = (tokens.insert(agent, invokes), tokens.insert(agent))
        let first = InstanceInvokes.Invoke(run: RunID(UUIDValue(high: 1, low: 1)), requestID: "req-1")
        let second = InstanceInvokes.Invoke(run: RunID(UUIDValue(high: 1, low: 2)), requestID: "req-2")
        #expect(tokens.invokes(of: token).isEmpty)
        invokes.begin(first)
        #expect(tokens.invokes(of: token) == [first] && tokens.invokes(of: other).isEmpty)
        invokes.begin(second)
        #expect(tokens.invokes(of: token) == [first, second])
        invokes.end(first)
        #expect(tokens.invokes(of: token) == [second])
        tokens.remove(token)
        #expect(tokens.invokes(of: token).isEmpty)
    }

    @Test func masksTokensWhereverTheyStand() {
        let (token, other) = (tokens.insert(agent), tokens.insert(agent))
        let text = "{\"url\":\"http://h/as/\(token)/egress/x\",\"also\":\"\(other)\"} ra_agent_"
        #expect(
            String(decoding: AgentTokens.masked(Array(text.utf8)), as: UTF8.self)
                == "{\"url\":\"http://h/as/***/egress/x\",\"also\":\"***\"} ***")
        #expect(AgentTokens.masked(Array("ra_agen".utf8)) == Array("ra_agen".utf8))
    }
}
