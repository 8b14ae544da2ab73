extension ActiveState {
    /// Records a call of a model, with its response where one is given: on its run, when that is one of the same agent and not finished, else on the provider.
    ///
    /// - Throws: `resourceNotFound` when there is neither.
    func recordModelCall(
        _ id: RunID?, _ called: ModelCalled, _ answer: ModelAnswer?, _ context: DecisionContext
    ) throws(Rejection) -> [Event] {
        let limits = context.settings.limits
        let texts = [
            ("provider", called.provider), ("provider kind", called.providerKind), ("model", called.model),
            ("asked model", called.askedModel ?? ""),
            ("role", called.role ?? ""), ("agent", called.agentID ?? ""), ("user", called.userID ?? ""),
        ]
        for (name, text) in texts { try checkText(text, name, bytesMax: limits.textBytesMax) }
        if let run = id.flatMap({ runs[$0] }), run.workspace == context.workspace, run.agentID == called.agentID {
            var decision = RunDecision(run, context)
            decision.record(called, answer)
            return decision.events
        }
        let key = ResourceKey(workspace: context.workspace, kind: .modelProvider, name: called.provider)
        guard let provider = resources[key] else { throw .resourceNotFound(.modelProvider, called.provider) }
        return [
            context.event(
                0, stream: .resource(.modelProvider, provider.id), sequence: provider.streamSequence + 1,
                person: called.userID, .modelCalled(called))
        ]
    }
}
