import CommandHandling
import Domain
import Governance

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

extension ModelMeter {
    /// Ends a run that has reached a limit of its calls of models, and refuses the call; `nil` while there is room.
    ///
    /// - Parameter identity: the call's, when it is known already.
    func endAtLimit(
        _ run: CallingRun, _ request: LLMRequest, _ identity: UUIDValue?
    ) async throws -> EgressAnswer? {
        let identity =
            identity
            ?? ModelCallIdentity.make(
                operation: request.operation.rawValue, provider: request.provider, body: request.body)
        let overrides = try limits(of: run.agentID, run.workspace)
        guard let reason = commands.reachedLimit(of: run.id, identity: identity, overrides) else { return nil }
        let sent = CommandRequest(workspace: run.workspace, actor: .gateway)
        do throws(CommandError) {
            _ = try await commands.execute(.failRun(run: run.id, reason: reason), sent)
        } catch {
            // A parallel call may have ended it.
            guard case .rejected(let rejection) = error, rejection.code == .runNotActive else { throw error }
        }
        return EndedCall.runEnded(run.id, reason: reason).answer
    }
}
