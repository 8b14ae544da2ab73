import CommandHandling
import Domain
import EventStore
import Gateways
import Logging
import Projections
import Secrets
import Synchronization

/// Carries erasures out: destroys the keys, rebuilds everything that was derived from what they opened, and then says in the
/// log that it is done.
///
/// All erasures that wait are carried out together: what is rebuilt is rebuilt once for all of them. Every step may be done
/// twice: a crash in between begins it again at the next start.
struct ErasureService: Sendable {
    private static let pause = Duration.seconds(5)
    /// Certificates that are written at the same time.
    private static let recordingMax = 256

    let commands: CommandHandler
    let store: EventStore
    let projections: Projections
    let history: PastReadModels
    let vault: SecretVault
    let responses: StoredResponses
    let logger: Logger

    /// Destroys the keys of erasures that the last process did not finish. Before anything is read or sealed.
    func look(at state: ActiveState) async throws(SecretsError) {
        try await vault.destroy(Array(state.erasures.keys))
    }

    /// Follows the log from `position` on, where the state was taken.
    func run(from state: ActiveState, after position: Position) async throws {
        let requests = ErasureRequests(state.erasures.mapValues(\.workspace))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await collect(requests, after: position) }
            group.addTask {
                for await _ in requests.signals {
                    let people = requests.take()
                    if !people.isEmpty { try await finish(people) }
                }
            }
            try await group.next()
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    private func collect(_ requests: ErasureRequests, after position: Position) async throws {
        let isRequest: EventInterest = { if case .personErasureRequested = $0.payload { true } else { false } }
        for try await batch in store.subscribe(after: position, waitingFor: isRequest) {
            for recorded in batch {
                guard case .personErasureRequested = recorded.event.payload else { continue }
                requests.add(PersonID(recorded.event.stream.id), recorded.event.workspace)
            }
        }
    }

    /// Tries until it is done: an erasure that was begun is not given up.
    private func finish(_ people: [PersonID: WorkspaceName]) async throws {
        while true {
            do {
                return try await erase(people)
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                logger.error(
                    "erasures not done yet; trying again",
                    metadata: ["people": "\(people.count)", "error": "\(error)"])
            }
            try await Task.sleep(for: Self.pause)
        }
    }

    private func erase(_ people: [PersonID: WorkspaceName]) async throws {
        try await vault.destroy(Array(people.keys))
        // From here on the log opens nothing of theirs: what was read before is in memory and in files.
        store.forgetRecent()
        responses.forgetContent()
        try await projections.renew(from: store, through: store.durablePosition)
        try await history.forget()
        try await commands.renewSnapshot()
        let counts = try await store.count(sealedFor: Set(people.keys))
        try await record(people.map { ($0.key, $0.value, PersonErased(events: counts[$0.key] ?? 0)) })
        logger.info(
            "data of people erased",
            metadata: ["people": "\(people.count)", "events": "\(counts.values.reduce(0, +))"])
    }

    /// Records the ends of erasures, many in one write. One that was recorded by an earlier try is no error.
    private func record(_ erasures: [(PersonID, WorkspaceName, PersonErased)]) async throws {
        for first in stride(from: 0, to: erasures.count, by: Self.recordingMax) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (id, workspace, erased) in erasures[first...].prefix(Self.recordingMax) {
                    group.addTask {
                        _ = try await commands.execute(
                            .recordErasure(id, erased), CommandRequest(workspace: workspace, actor: .erasure))
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}

/// The erasures that wait for their turn.
private final class ErasureRequests: Sendable {
    private let waiting: Mutex<[PersonID: WorkspaceName]>
    /// Has an element when there is something to take.
    let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    init(_ waiting: [PersonID: WorkspaceName]) {
        self.waiting = Mutex(waiting)
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        signal.yield()
    }

    func add(_ id: PersonID, _ workspace: WorkspaceName) {
        waiting.withLock { $0[id] = workspace }
        signal.yield()
    }

    /// Removes and returns everything that waits.
    func take() -> [PersonID: WorkspaceName] {
        waiting.withLock { waiting in
            defer { waiting = [:] }
            return waiting
        }
    }
}
