import CommandHandling
import Domain

/// Calls of models that an agent may not make, whatever its budgets say.
extension ModelMeter {
    /// The refusal of a call of an agent that is not deployed, whose run is over, or that is not called for any run.
    ///
    /// An agent that Sluice runs has a model to call only while it is at a run: a thread that a handler left behind, or a
    /// process whose run was cancelled, calls none. Embeddings may be made while it imports its code.
    func refusal(of request: LLMRequest, for run: CallingRun?) -> EndedCall? {
        let caller = request.caller
        if let control = commands.stop(ofAgent: caller.agent ?? run?.agentID, in: request.workspace) {
            return .stopped(control)
        }
        guard let acting = caller.acting else { return nil }
        if let agent = acting.name, !commands.hasAgent(agent, request.workspace) { return .agentDeleted(agent) }
        guard run == nil else { return nil }
        if let named = caller.namedRun, !commands.isActive(named) { return .runEnded(named) }
        if acting.isStarting, request.operation == .embeddings { return nil }
        guard acting.isManaged, let agent = acting.name,
            acting.turns.map(\.isEmpty) ?? commands.runsInTurn(of: agent, request.workspace, max: 1).isEmpty
        else { return nil }
        return EndedCall(
            status: 409, code: "NOT_IN_TURN",
            message: "agent \(agent.excerpt) is called for no run: it calls models only while it is at one")
    }
}
