import Domain
import Synchronization

/// People whom clients name: each new one takes a key of the keyring.
extension CommandHandler {
    /// Sets the rule for people whom a client names, and who have no key yet.
    package func admitPeople(by rule: @escaping PersonAdmission) { admission.withLock { $0 = rule } }

    /// Checks that a person whom a client names is known, or may be brought in by the actor of the request.
    ///
    /// - Throws: `CommandError.rejected` with the share or the limit that leaves no room.
    package func check(person userID: String, _ request: CommandRequest) throws(CommandError) {
        if let refusal = refusal(ofPerson: userID, request) { throw .rejected(refusal) }
    }

    /// The refusal of a command for the person whom it names; `nil` when it names none.
    func refusal(of command: Command, _ request: CommandRequest) -> Rejection? {
        command.namedPerson.flatMap { refusal(ofPerson: $0, request) }
    }

    private func refusal(ofPerson userID: String, _ request: CommandRequest) -> Rejection? {
        guard !userID.isEmpty else { return nil }
        return admission.withLock { $0 }?(PersonName(workspace: request.workspace, userID: userID), request.actor)
    }
}
