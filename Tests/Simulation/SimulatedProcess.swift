import CommandHandling
import Domain
import EventLog
import EventStore
import Scheduling

/// One life of the daemon, from a start to a kill or a power cut: the writer, the scheduler, and the agents' answers on
/// their way.
struct SimulatedProcess {
    /// Who waits for the writer's answer.
    enum Waiter: Sendable {
        case client(IdempotencyToken?)
        case scheduler(SchedulerState.Due)
        case executor(Delivery)
    }

    /// What an agent did, and when that is known here.
    struct Delivery: Sendable {
        var time: Timestamp
        let command: Command
        let workspace: WorkspaceName
    }

    static let settings = DecisionSettings()
    private static let segmentBytesMax: UInt64 = 8192

    var writer: LogWriter
    var state: WriterState<Waiter>
    var scheduler: SchedulerState
    var deliveries: [Delivery] = []
    /// Every record that is durable, as this process knows it.
    var records: [[UInt8]]

    /// Starts as the daemon does: recovers the log, reads all of it, and folds it.
    ///
    /// - Throws: `LogError` when the machine stops meanwhile; `SimulationFailure` when what is found is not right.
    init(
        _ disk: SimulatedDisk, _ snapshots: SimulatedDisk, _ ledger: Ledger, _ configuration: SchedulerConfiguration
    ) throws {
        let (tail, _) = try LogRecovery.open(disk)
        writer = LogWriter(storage: disk, segmentBytesMax: Self.segmentBytesMax, recovered: tail)
        let (events, records) = try ledger.audit(disk)
        try check(writer.durablePosition == UInt64(records.count), 4, "recovery and reading do not agree on the end")
        self.records = records
        let memory = Self.memory(events)
        try Self.compare(snapshots, events, memory)
        state = WriterState(memory: memory, settings: Self.settings, queueLengthMax: 64)
        scheduler = SchedulerState(state.active, configuration)
    }

    /// Holds what a start from the newest snapshot would come to against what the whole log comes to.
    private static func compare(_ snapshots: SimulatedDisk, _ events: [RecordedEvent], _ folded: WriterMemory) throws {
        guard let snapshot = try? SnapshotFile.newest(in: snapshots) else { return }
        guard var memory = WriterMemory(snapshot: snapshot.contents, limits: settings.limits) else {
            throw SimulationFailure(1, "a whole snapshot cannot be read")
        }
        try check(memory.position.value <= UInt64(events.count), 2, "a snapshot tells of what was lost")
        for recorded in events.dropFirst(Int(memory.position.value)) { memory.evolve(recorded) }
        try check(memory == folded, 1, "a snapshot and the whole log come to different things")
    }

    /// What the writer remembers of a log.
    static func memory(_ events: [RecordedEvent]) -> WriterMemory {
        var memory = WriterMemory(limits: settings.limits)
        for recorded in events { memory.evolve(recorded) }
        return memory
    }
}
