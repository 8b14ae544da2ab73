/// A request in the form that its provider accepts, and the way back for the answer.
package struct AdaptedRequest: Sendable {
    package let request: ChatRequest
    private let names: AcceptedToolNames
    private var forced: ForcedCall?
    private var ids = DistinctCallIDs()

    package init(_ asked: ChatRequest, for translator: any ChatTranslator) {
        names = AcceptedToolNames(asked)
        let named = names.applied(to: asked.withDistinctCallIDs)
        forced = translator.forcesCalls ? nil : ForcedCall(named)
        request = forced?.applied(to: named) ?? named
    }

    /// The answer that an answer of the provider's stands for.
    package func answer(_ answer: ChatAnswer) -> ChatAnswer {
        var ids = ids
        return ids.applied(to: names.restored(forced?.read(answer) ?? answer))
    }

    /// The parts that a part of a stream stands for.
    package mutating func read(_ delta: ChatDelta) -> [ChatDelta] {
        (forced?.read(delta) ?? [delta]).map { ids.applied(to: names.restored($0)) }
    }
}
