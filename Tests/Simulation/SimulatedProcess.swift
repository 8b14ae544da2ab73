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
    init(_ disk: SimulatedDisk, _ ledger: Ledger, _ configuration: SchedulerConfiguration) throws {
        let (tail, _) = try LogRecovery.open(disk)
        writer = LogWriter(storage: disk, segmentBytesMax: Self.segmentBytesMax, recovered: tail)
        let (events, records) = try ledger.audit(disk)
        try check(writer.durablePosition == UInt64(records.count), 4, "recovery and reading do not agree on the end")
        self.records = records
        state = WriterState(memory: Self.memory(events), settings: Self.settings, queueLengthMax: 64)
        scheduler = SchedulerState(state.active, configuration)
    }

    /// What the writer remembers of a log.
    static func memory(_ events: [RecordedEvent]) -> WriterMemory {
        var memory = WriterMemory(limits: settings.limits)
        for recorded in events { memory.evolve(recorded) }
        return memory
    }
}
