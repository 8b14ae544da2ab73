import Domain

/// Gives each tool call of an answer, or of a conversation, an id that no other one has.
///
/// Callers and providers match results by ids, so that calls with the same one merge, or are refused; services exist
/// that give parallel calls one id, or number the calls of each answer anew.
struct DistinctCallIDs: Sendable {
    private var taken: Set<ExactText> = []
    /// The number that the next call with that id gets.
    private var numbers: [ExactText: Int] = [:]

    /// The id itself for the first call that has it, else one made of it. A signature in it stays.
    mutating func id(for given: String) -> String {
        let (bare, signature) = CallSignature.split(given)
        guard !taken.insert(ExactText(bare)).inserted else { return given }
        var number = numbers[ExactText(bare)] ?? 2
        while !taken.insert(ExactText("\(bare)_\(number)")).inserted { number += 1 }
        numbers[ExactText(bare)] = number + 1
        let own = "\(bare)_\(number)"
        return signature.map { CallSignature.signed(own, with: $0) } ?? own
    }

    /// The answer, in which no two calls have the same id.
    mutating func applied(to answer: ChatAnswer) -> ChatAnswer {
        var answer = answer
        for index in answer.calls.indices { answer.calls[index].id = id(for: answer.calls[index].id) }
        return answer
    }

    /// The part of a stream, in which no two calls have the same id.
    mutating func applied(to delta: ChatDelta) -> ChatDelta {
        guard case .callBegun(let number, let id, let name) = delta else { return delta }
        return .callBegun(number, id: self.id(for: id), name: name)
    }
}

extension ChatRequest {
    /// The results that a turn's calls of one id wait for, by the ids that the calls have got.
    private struct Waiting {
        var ids: [String] = []
        var next = 0
    }

    /// The request, in which no two calls have the same id. The n-th result for an id is that of the turn's n-th call
    /// with it.
    var withDistinctCallIDs: ChatRequest {
        var ids = DistinctCallIDs()
        var waiting: [ExactText: Waiting] = [:]
        var request = self
        request.messages = messages.map { message in
            switch message {
            case .assistant(let text, var calls):
                var turn: [ExactText: Waiting] = [:]
                for index in calls.indices {
                    let given = calls[index].id
                    calls[index].id = ids.id(for: given)
                    turn[ExactText(given), default: Waiting()].ids.append(calls[index].id)
                }
                waiting.merge(turn) { $1 }
                return .assistant(text: text, calls: calls)
            case .tool(let id, let content, let isError):
                guard let own = waiting[ExactText(id)] else { return message }
                waiting[ExactText(id)]?.next += 1
                return .tool(callID: own.ids[min(own.next, own.ids.count - 1)], content: content, isError: isError)
            case .user, .system: return message
            }
        }
        return request
    }
}
