import Domain
import Gateways
import TestSupport

/// A random answer of a model, and the order in which a provider streams its parts: parallel calls come in any
/// interleaving, each in the order of its own parts.
struct ScriptedAnswer {
    enum Step: Hashable {
        case text(String)
        case begin(Int)
        case arguments(Int, String)
    }

    let answer: ChatAnswer
    let steps: [Step]

    init(_ random: inout SeededRandom) {
        var (answer, steps) = (ChatAnswer(finish: random.pick([.stop, .length, .contentFilter])), [Step]())
        var waiting: [[Step]] = (0..<Int.random(in: 0...3, using: &random)).map { number in
            let arguments =
                random.chance(20)
                ? JSONValue.object([])
                : .object([
                    .init(name: Conversation.text(&random), value: .string("}{\"" + Conversation.text(&random))),
                    .init(name: "n", value: .array([.number("1.0"), .bool(true), .object([])])),
                ])
            answer.calls.append(ChatToolCall(id: "call-\(number)", name: "tool\(number)", arguments: arguments))
            var (pieces, rest) = ([Step](), arguments.text.text[...])
            // An empty object may come without any text.
            if arguments == .object([]), random.chance(50) { rest = "" }
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...9, using: &random))
                rest = rest.dropFirst(piece.count)
                pieces.append(.arguments(number, String(piece)))
            }
            return pieces
        }
        if !answer.calls.isEmpty { answer.finish = .toolCalls }
        var begun = 0
        if answer.calls.isEmpty || random.chance(60) { steps.append(.text(Conversation.text(&random))) }
        while begun < answer.calls.count || waiting.contains(where: { !$0.isEmpty }) {
            if random.chance(15) { steps.append(.text(Conversation.text(&random))) }
            if begun < answer.calls.count, begun == 0 || random.chance(30) || waiting[..<begun].allSatisfy(\.isEmpty) {
                steps.append(.begin(begun))
                begun += 1
            }
            let open = (0..<begun).filter { !waiting[$0].isEmpty }
            if let next = open.randomElement(using: &random) { steps.append(waiting[next].removeFirst()) }
        }
        for case .text(let text) in steps { answer.text += text }
        (self.answer, self.steps) = (answer, steps)
    }
}
