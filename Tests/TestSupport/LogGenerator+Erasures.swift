import Domain

/// Erasures that begin, and end a while later.
extension LogGenerator {
    mutating func erasureCommand() -> Command {
        if let open = state.erasures.values.min(by: { $0.id < $1.id }), random.chance(60) {
            workspace = open.workspace
            return .recordErasure(open.id, PersonErased(events: UInt64.random(in: 0...9, using: &random)))
        }
        return .erasePerson(
            newID(), PersonErasureRequested(userID: random.chance(50) ? "nobody" : random.pick(Self.people)))
    }
}
