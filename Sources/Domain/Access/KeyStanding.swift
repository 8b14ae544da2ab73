extension ActiveState {
    /// Refuses a command of an API key that was revoked after the command's request was admitted.
    ///
    /// So nothing that a key does follows its revocation. Agents that Sluice runs have no key in the log: their tokens end with
    /// their instances.
    package func checkKey(of command: Command, _ context: DecisionContext) throws(Rejection) {
        guard case .apiKey(let id) = context.actor.kind, apiKeys[id] == nil, !command.isRecordOfThePast,
            context.agent?.isManaged != true
        else { return }
        throw Rejection(.apiKeyRevoked, "the API key was revoked: use another one")
    }
}

extension Command {
    /// True for records of effects that have happened: they are taken however their sender stands by now.
    fileprivate var isRecordOfThePast: Bool {
        switch self {
        case .recordToolCall, .recordModelCall, .recordAnswer: true
        default: false
        }
    }
}
