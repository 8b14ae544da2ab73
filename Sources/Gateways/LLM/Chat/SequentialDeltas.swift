/// Puts the parts of an answer in an order in which each call is finished before the next part begins, for callers that
/// read one content block, or call, after the other.
///
/// The first unfinished call passes as it comes; what belongs to later parts waits for its end. At most the rest of the
/// answer waits, which the gateway bounds.
struct SequentialDeltas: Sendable {
    private struct Waiting {
        let begun: ChatDelta
        var arguments = ""
    }

    /// The call that passes at present.
    private var current: Int?
    private var arguments = JSONProgress()
    private var waiting: [Waiting] = []

    /// The parts that can be written now, given the next one.
    mutating func read(_ delta: ChatDelta) -> [ChatDelta] {
        switch delta {
        case .text, .callBegun:
            guard current == nil || arguments.isComplete else {
                hold(delta)
                return []
            }
            begin(delta)
            return [delta]
        case .callArguments(let number, let text): return read(text, of: number)
        case .finish: return finish() + [delta]
        case .usage: return [delta]
        }
    }

    /// The parts that still wait, at the end of the answer.
    mutating func finish() -> [ChatDelta] {
        current = nil
        defer { waiting = [] }
        return waiting.flatMap(Self.deltas)
    }

    private mutating func begin(_ delta: ChatDelta) {
        arguments = JSONProgress()
        current = Self.number(delta)
    }

    private mutating func hold(_ delta: ChatDelta) {
        if case .text(let more) = delta, case .text(let text)? = waiting.last?.begun {
            waiting[waiting.count - 1] = Waiting(begun: .text(text + more))
        } else {
            waiting.append(Waiting(begun: delta))
        }
    }

    private mutating func read(_ text: String, of number: Int) -> [ChatDelta] {
        guard number == current else {
            if let index = waiting.firstIndex(where: { Self.number($0.begun) == number }) {
                waiting[index].arguments += text
            }
            return []
        }
        arguments.read(text)
        var deltas = [ChatDelta.callArguments(number, text)]
        while arguments.isComplete || current == nil, !waiting.isEmpty {
            let next = waiting.removeFirst()
            begin(next.begun)
            arguments.read(next.arguments)
            deltas += Self.deltas(next)
        }
        return deltas
    }

    private static func deltas(_ waiting: Waiting) -> [ChatDelta] {
        guard let number = number(waiting.begun), !waiting.arguments.isEmpty else { return [waiting.begun] }
        return [waiting.begun, .callArguments(number, waiting.arguments)]
    }

    private static func number(_ delta: ChatDelta) -> Int? {
        if case .callBegun(let number, _, _) = delta { number } else { nil }
    }
}
