import CommandHandling
import Domain
import Projections

/// A consent that a run waits for.
struct AskedConsent: Sendable {
    let run: RunState
    let actionID: ActionID
    let tool: ResourceKey
    let authorization: UserAuthorization

    /// - Throws: `ConsentFailure` when nothing waits for the consent.
    init(_ run: RunID, _ action: ActionID, _ commands: CommandHandler, _ projections: Projections) async throws {
        guard let state = commands.activeRun(run), let waiting = state.action(action), waiting.isConsent,
            waiting.status == .blocked
        else { throw ConsentFailure.notWaiting }
        let tool = ResourceKey(workspace: state.workspace, kind: .tool, name: waiting.toolID)
        let document = try await projections.resource(.tool, named: tool.name, in: tool.workspace)?.document.value
        guard case .userOAuth2(let authorization)? = try? Consents.authentication(document) else {
            throw ConsentFailure(410, "The tool \(tool.name) does not ask for consent any more.")
        }
        self.run = state
        actionID = action
        self.tool = tool
        self.authorization = authorization
    }

    /// True when that person is the run's user: by user id, and where a person began the run for themselves, as that
    /// very person.
    func isUser(_ signedIn: SignedInPerson) -> Bool {
        guard signedIn.userID.utf8.elementsEqual(run.userID.utf8) else { return false }
        guard case .person(let creator)? = run.creator?.kind, run.creator?.name == run.userID else { return true }
        return creator == signedIn.person
    }

    /// The request that the consent is recorded by.
    var commandRequest: CommandRequest {
        CommandRequest(workspace: run.workspace, actor: Actor(kind: .system, name: run.userID))
    }
}
