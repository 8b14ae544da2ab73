/// A request in the form that its provider accepts, and the way back for the answer.
struct AdaptedRequest: Sendable {
    let request: ChatRequest
    private let names: AcceptedToolNames
    private var forced: ForcedCall?

    init(_ asked: ChatRequest, for translator: any ChatTranslator) {
        names = AcceptedToolNames(asked)
        let named = names.applied(to: asked)
        forced = translator.forcesCalls ? nil : ForcedCall(named)
        request = forced?.applied(to: named) ?? named
    }

    func answer(_ answer: ChatAnswer) -> ChatAnswer { names.restored(forced?.read(answer) ?? answer) }

    /// The parts that a part of a stream stands for.
    mutating func read(_ delta: ChatDelta) -> [ChatDelta] { (forced?.read(delta) ?? [delta]).map(names.restored) }
}
