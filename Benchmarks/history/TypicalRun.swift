import Domain
import TestSupport

/// One run as it comes, command by command: talked to, blocked on a tool, approved and completed. Ten events, no text
/// like another run's.
struct TypicalRun {
    static let commandCount = 9

    private let id: RunID
    private let action: ActionID
    private let hash: String
    private let number: Int
    private let commandsMax: Int
    private var commandsGiven = 0

    /// - Parameter commandsMax: how many commands are given; with fewer than `commandCount` the run stays open.
    init(_ number: Int, id: RunID, action: ActionID, commandsMax: Int, _ random: inout SeededRandom) {
        self.id = id
        self.action = action
        self.number = number
        self.commandsMax = commandsMax
        hash = "sha256:" + random.hex(32)
    }

    var isOver: Bool { commandsGiven == commandsMax }

    mutating func nextCommand(_ random: inout SeededRandom) -> Command {
        defer { commandsGiven += 1 }
        switch commandsGiven {
        case 0:
            return .createRun(
                CreateRun(
                    runID: id, agentID: History.agents[number % History.agents.count], userID: "user-\(number % 300)",
                    conversationID: "conv-\(number % 1000)", invokeURL: nil, initialMessage: random.sentence(12)))
        case 1: return added("USER_MESSAGE", "user-\(number % 300)", #"{"message":"\#(random.sentence(12))"}"#)
        case 2: return added("LLM_CALL", "model", usage(&random))
        case 3:
            return added(
                "TOOL_REQUEST", "payments",
                #"{"tool":"payments","amount":\#(random.next() % 9000),"note":"\#(random.sentence(6))"}"#, hash: hash)
        case 4:
            return .blockAction(
                run: id,
                BlockAction(
                    actionID: action, toolID: "payments", capability: "POST /v1/charges",
                    payloadHash: PayloadHash(hash)))
        case 5: return .approveAction(run: id, action: action, payloadHash: PayloadHash(hash), reason: nil)
        case 6:
            return added("TOOL_RESPONSE", "payments", #"{"status":200,"charge":"ch_\#(random.hex(12))"}"#, hash: hash)
        case 7: return added("AGENT_MESSAGE", "billing", #"{"message":"\#(random.sentence(25))"}"#)
        default: return .changeRunStatus(run: id, .completed)
        }
    }

    private func usage(_ random: inout SeededRandom) -> String {
        let (prompt, completion) = (random.next() % 4000, random.next() % 600)
        return #"{"model":"gpt-5","prompt_tokens":\#(prompt),"completion_tokens":\#(completion)}"#
    }

    private func added(_ type: String, _ actor: String, _ data: String, hash: String? = nil) -> Command {
        .addRunEvents(
            run: id, [RunEventAdded(type: type, actor: actor, payloadHash: hash, data: JSONText(verified: data))])
    }
}
