import CommandHandling
import Domain
import EventLog
import EventStore
import Logging
import Synchronization

/// A clock that stands where a test puts it.
final class ManualClock: WallClock {
    private let time = Mutex(Timestamp(microseconds: 1_790_000_000_000_000))

    func now() -> Timestamp { time.withLock { $0 } }

    func set(_ change: @Sendable (Timestamp) -> Timestamp) { time.withLock { $0 = change($0) } }
}

/// A writer over a log in memory, with its commit loop running, for the time of a test.
struct Writer: Sendable {
    let backend: InMemoryLogBackend
    let clock = ManualClock()
    let store: EventStore
    let commands: CommandHandler

    static let request = CommandRequest(workspace: .default, actor: Actor(kind: .system, name: "tester"))

    init(
        _ backend: InMemoryLogBackend = InMemoryLogBackend(), settings: DecisionSettings = DecisionSettings(),
        queueLengthMax: Int = 1000, snapshots: MemoryLogStorage? = nil, snapshotEventsMin: UInt64 = 1000
    ) async throws {
        self.backend = backend
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        store = await EventStore(backend: backend, snapshots: snapshots.map(SnapshotKeeper.init))
        commands = try await CommandHandler.open(
            store: store, settings: settings, clock: clock, queueLengthMax: queueLengthMax,
            snapshotEventsMin: snapshotEventsMin, logger: logger)
    }

    /// Runs the commit loop while `body` works.
    func running(_ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { [commands] in await commands.run() }
            try await body()
            group.cancelAll()
        }
    }

    func createRun(_ request: CommandRequest = Writer.request) async throws -> (id: RunID, receipt: Receipt) {
        let create = CreateRun(
            runID: commands.newID(), agentID: "a", userID: "u", conversationID: nil, invokeURL: nil,
            initialMessage: nil)
        let receipt = try await commands.execute(.createRun(create), request)
        return (receipt.events.first.map { RunID($0.event.stream.id) } ?? create.runID, receipt)
    }

    func say(_ run: RunID, _ request: CommandRequest = Writer.request) async throws -> Receipt {
        try await commands.execute(
            .addRunEvents(
                run: run, [RunEventAdded(type: "USER_MESSAGE", actor: nil, payloadHash: nil, data: nil)]), request)
    }
}

func token(_ key: String, scope: UInt64 = 1, _ fingerprint: UInt64 = 1) -> CommandRequest {
    CommandRequest(
        workspace: .default, actor: Actor(kind: .system, name: "tester"),
        idempotency: IdempotencyToken(key: key, fingerprint: UUIDValue(high: scope, low: fingerprint)))
}
