import CommandHandling
import Domain
import EventLog
import EventStore
import Scheduling
import TestSupport

/// A whole Sluice in one thread: clients, the writer, the scheduler, agents, a disk and a clock, all from one seed.
///
/// Anything may happen between two steps, and the machine may stop at any call to the disk. After each start the log is
/// held against what clients were told; at the end everything is left alone and must come to rest.
package struct Simulation {
    /// What happened, to see that much did.
    package struct Statistics: Sendable {
        package internal(set) var events = 0
        package internal(set) var starts = 0
        package internal(set) var powerCuts = 0
        package internal(set) var fullDisks = 0
        package internal(set) var failedWrites = 0
        package internal(set) var repeatedRequests = 0
        package internal(set) var invokes = 0
        package internal(set) var snapshots = 0
    }

    static let stepsCount = 400

    let disk: SimulatedDisk
    /// Where snapshots are: another directory of the same machine.
    let snapshots: SimulatedDisk
    let bug: PlantedBug?
    let configuration = SchedulerConfiguration()
    var random: SeededRandom
    var generator: LogGenerator
    var ledger = Ledger()
    var process: SimulatedProcess?
    var now = Timestamp(microseconds: 1_790_000_000_000_000)
    var statistics = Statistics()

    private init(seed: UInt64, bug: PlantedBug?) {
        random = SeededRandom(seed: seed)
        generator = LogGenerator(seed: random.next())
        disk = SimulatedDisk(seed: random.next(), bug: bug)
        snapshots = SimulatedDisk(seed: random.next(), bug: nil)
        self.bug = bug
    }

    /// Runs one world; the same seed runs the same one.
    ///
    /// - Throws: `SimulationFailure` when a promise did not hold.
    package static func run(seed: UInt64, bug: PlantedBug? = nil) throws -> Statistics {
        var simulation = Simulation(seed: seed, bug: bug)
        for _ in 0..<stepsCount { try simulation.step() }
        try simulation.comeToRest()
        return simulation.statistics
    }

    private mutating func step() throws {
        now = now.adding(.milliseconds(Int.random(in: 0...2000, using: &random)))
        guard let process else { return try start(mayStopAgain: true) }
        if case .stopped? = process.state.refusal, random.chance(20) { return end() }
        switch Int.random(in: 0..<1000, using: &random) {
        case 0..<450: try sendCommand()
        case 450..<700: try commit()
        case 700..<820: try schedule()
        case 820..<930: try deliver()
        case 930..<940: saveSnapshot()
        case 940..<945: now = now.adding(.seconds(Int.random(in: -3600...3600, using: &random)))
        case 945..<970: disk.inject(random.pick(SimulatedDisk.Fault.allCases))
        case 970..<985: disk.stop(afterCalls: Int.random(in: 0...9, using: &random))
        default: end()
        }
    }

    /// The process is gone, and with it whatever it had not written.
    mutating func end() { process = nil }

    mutating func start(mayStopAgain: Bool) throws {
        let isPowerCut = random.chance(60)
        disk.start(afterPowerCut: isPowerCut)
        snapshots.start(afterPowerCut: isPowerCut)
        statistics.starts += 1
        statistics.powerCuts += isPowerCut ? 1 : 0
        if mayStopAgain, random.chance(20) { disk.stop(afterCalls: Int.random(in: 0...30, using: &random)) }
        let started: SimulatedProcess
        do {
            started = try SimulatedProcess(disk, snapshots, ledger, configuration)
        } catch let error as LogError {
            if disk.isDown { return }
            throw SimulationFailure(5, "the start refuses a log that nobody damaged: \(error)")
        }
        process = started
        // What a start shows is relied on from then on.
        ledger.acknowledge(through: Position(UInt64(started.records.count)), started.records)
        for run in started.state.active.runs.values.sorted(by: { $0.id < $1.id }) {
            guard let open = run.openInvoke else { continue }
            let failed = InvokeFailed(
                purpose: open.purpose, attempt: open.attempt, statusCode: nil, error: "interrupted", isRetryable: true)
            let report = SimulatedProcess.Delivery(
                time: now, command: .failInvoke(run: run.id, failed), workspace: run.workspace)
            try submit(report.command, report.workspace, .executor(report))
        }
    }

    /// Left alone, with the clock going on to whatever is due: everything that was begun ends.
    private mutating func comeToRest() throws {
        disk.inject(nil)
        disk.stop(afterCalls: .max)
        if case .stopped? = process?.state.refusal { end() }
        if process == nil { try start(mayStopAgain: false) }
        for _ in 0..<100_000 {
            try commit()
            try schedule()
            try deliver()
            guard let process else { throw SimulationFailure(7, "the process ended although nothing failed") }
            if process.state.queueLength > 0 { continue }
            let times = [process.scheduler.nextDeadline].compactMap { $0 } + process.deliveries.map(\.time)
            guard let next = times.min() else { return try checkRest(process) }
            now = max(now, next)
        }
        throw SimulationFailure(7, "there is always something due")
    }

    private mutating func checkRest(_ process: SimulatedProcess) throws {
        let active = process.state.active
        try check(active.runs.isEmpty, 7, "\(active.runs.count) runs never end")
        try check(active.accessRequests.isEmpty, 7, "\(active.accessRequests.count) access requests never end")
        let (events, _) = try ledger.audit(disk)
        let folded = SimulatedProcess.memory(events)
        try check(
            folded.state.resources == active.resources && folded.state.apiKeys == active.apiKeys, 1,
            "the log folds to something else than the writer remembers")
        statistics.events = events.count
    }
}
