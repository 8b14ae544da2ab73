import Domain

/// The calls of tools, or of models, in flight; each agent has its share.
typealias CallPool = SharePool<CallHolder>

/// The principal that calls in flight count for: an agent by its name, else the key that calls.
enum CallHolder: Hashable, Sendable {
    case agent(WorkspaceName, String)
    case caller(Actor.Kind)

    init(_ agent: String?, in workspace: WorkspaceName, _ actor: Actor) {
        self = agent.map { .agent(workspace, $0) } ?? .caller(actor.kind)
    }
}

extension EgressAnswer {
    /// The refusal of a call for which no place is left.
    static func tooManyCalls(_ refusal: ShareRefusal, of what: String) -> EgressAnswer {
        let message =
            switch refusal {
            case .exhausted: "too many calls of \(what) are in flight; try again in a moment"
            case .shareExceeded:
                "too many calls of \(what) by this agent are in flight: its share is used and the rest is kept for "
                    + "others; try again in a moment"
            }
        return .refusal(429, "TOO_MANY_CALLS", message)
    }
}
