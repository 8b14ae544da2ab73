import Domain

/// Names of tools as every provider accepts them: 1 to 64 letters, digits, `_` and `-`.
///
/// Agents give the tools of their servers longer names (`mcp__server__tool`) than OpenAI and Bedrock take. The model's
/// calls come back under the names that the caller gave.
package struct AcceptedToolNames: Hashable, Sendable {
    private static let bytesMax = 64

    /// Accepted names by the caller's, where they differ.
    private var replacements: [ExactText: String] = [:]
    /// The caller's names by accepted ones, where they differ.
    private var given: [ExactText: String] = [:]

    /// The names of the request's tools, and of the calls in its messages.
    ///
    /// No two of them become the same: a name that is accepted stays, and no other one becomes a name that is taken.
    package init(_ request: ChatRequest) {
        var names = request.tools.map(\.name)
        for case .assistant(_, let calls) in request.messages { names += calls.map(\.name) }
        var taken = Set(names.filter(Self.isAccepted))
        for name in names where !Self.isAccepted(name) && replacements[ExactText(name)] == nil {
            var attempt = 0
            var replacement = AcceptedID.replacement(of: name)
            while !taken.insert(replacement).inserted {
                attempt += 1
                replacement = AcceptedID.replacement(of: name, attempt: attempt)
            }
            replacements[ExactText(name)] = replacement
            given[ExactText(replacement)] = name
        }
    }

    private static func isAccepted(_ name: String) -> Bool {
        (1...bytesMax).contains(name.utf8.count) && name.utf8.allSatisfy(AcceptedID.isAccepted)
    }

    /// The request under accepted names.
    package func applied(to request: ChatRequest) -> ChatRequest {
        guard !given.isEmpty else { return request }
        var request = request
        for index in request.tools.indices { request.tools[index].name = accepted(request.tools[index].name) }
        if case .function(let name) = request.toolChoice { request.toolChoice = .function(accepted(name)) }
        for index in request.messages.indices {
            guard case .assistant(let text, var calls) = request.messages[index] else { continue }
            for call in calls.indices { calls[call].name = accepted(calls[call].name) }
            request.messages[index] = .assistant(text: text, calls: calls)
        }
        return request
    }

    /// The answer under the caller's names.
    package func restored(_ answer: ChatAnswer) -> ChatAnswer {
        guard !given.isEmpty else { return answer }
        var answer = answer
        for index in answer.calls.indices { answer.calls[index].name = restored(answer.calls[index].name) }
        return answer
    }

    /// The part of a stream under the caller's names.
    package func restored(_ delta: ChatDelta) -> ChatDelta {
        guard case .callBegun(let number, let id, let name) = delta else { return delta }
        return .callBegun(number, id: id, name: restored(name))
    }

    private func accepted(_ name: String) -> String { replacements[ExactText(name)] ?? name }

    private func restored(_ name: String) -> String { given[ExactText(name)] ?? name }
}
