import CommandHandling
import Domain
import EventStore
import Logging
import Projections
import Secrets

/// Carries erasures out: destroys the person's key, makes anew everything that was made from what it opened, and then
/// says in the log that it is done.
///
/// Every step may be done twice: a crash in between begins it again at the next start.
struct ErasureService: Sendable {
    private static let pause = Duration.seconds(5)

    let commands: CommandHandler
    let store: EventStore
    let projections: Projections
    let history: PastReadModels
    let vault: SecretVault
    let logger: Logger

    /// Destroys the keys of erasures that the last process did not finish. Before anything is read or sealed.
    func look(at state: ActiveState) async throws(SecretsError) {
        for id in state.erasures.keys { try await vault.destroy(id) }
    }

    /// Follows the log from `position` on, where the state was taken.
    func run(from state: ActiveState, after position: Position) async throws {
        for erasure in state.erasures.values { try await finish(erasure.id, erasure.workspace) }
        for try await batch in store.subscribe(after: position) {
            for recorded in batch {
                guard case .personErasureRequested = recorded.event.payload else { continue }
                try await finish(PersonID(recorded.event.stream.id), recorded.event.workspace)
            }
        }
    }

    /// Tries until it is done: an erasure that was begun is not given up.
    private func finish(_ id: PersonID, _ workspace: WorkspaceName) async throws {
        while true {
            do {
                return try await erase(id, workspace)
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                logger.error(
                    "an erasure is not done yet; it is tried again",
                    metadata: ["person": "\(id)", "error": "\(error)"])
            }
            try await Task.sleep(for: Self.pause)
        }
    }

    private func erase(_ id: PersonID, _ workspace: WorkspaceName) async throws {
        try await vault.destroy(id)
        // From here on nobody can read it in the log: what was read before is in memory and in files.
        store.forgetRecent()
        try await projections.renew(from: store, through: store.durablePosition)
        try await history.forget()
        try await commands.renewSnapshot()
        let erased = PersonErased(events: try await store.count(sealedFor: id))
        _ = try await commands.execute(
            .recordErasure(id, erased), CommandRequest(workspace: workspace, actor: .erasure))
        logger.info("a person's data was erased", metadata: ["person": "\(id)", "events": "\(erased.events)"])
    }
}
