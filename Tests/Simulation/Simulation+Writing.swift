import CommandHandling
import Domain
import EventLog
import EventStore
import Scheduling
import TestSupport

extension Simulation {
    /// A client sends something, now and then under a key that was used before.
    mutating func sendCommand() throws {
        guard let active = process?.state.active else { return }
        let (command, workspace) = generator.command(in: active, at: now)
        var mayRepeat = random.chance(15)
        switch command {
        // Those are the scheduler's and the executor's.
        case .requestInvoke, .completeInvoke, .failInvoke: return
        // Its own token says what it repeats.
        case .recordAnswer: mayRepeat = false
        default: break
        }
        var token: IdempotencyToken?
        if mayRepeat {
            let number = UInt64.random(in: 0..<20, using: &random)
            let fingerprint = UUIDValue(high: number, low: random.chance(90) ? 0 : 1)
            token = IdempotencyToken(key: "key-\(number)", fingerprint: fingerprint)
        }
        try submit(command, workspace, .client(token))
    }

    mutating func submit(
        _ command: Command, _ workspace: WorkspaceName, _ waiter: SimulatedProcess.Waiter
    ) throws {
        let token: IdempotencyToken? = if case .client(let token) = waiter { token } else { nil }
        let request = CommandRequest(
            workspace: workspace, actor: Actor(kind: .system, name: "simulated"), idempotency: token)
        let answer = process?.state.submit(command, request, id: generator.newID(), now: now, waiter).answer
        if let answer { try take(answer, waiter) }
    }

    /// Writes the next batch, as the commit loop does.
    mutating func commit() throws {
        guard let batch = process?.state.takeBatch() else { return }
        let encoded = batch.events.map { EventCodec.encode($0) }
        ledger.queue(batch.events, encoded)
        if bug == .acknowledgedBeforeSync, let known = process?.records {
            ledger.acknowledge(through: Position(UInt64(known.count + encoded.count)), known + encoded)
        }
        let first: UInt64?
        do throws(LogError) {
            first = try process?.writer.append(encoded).first
        } catch {
            return try refused(batch, error)
        }
        if let first { try recorded(batch, encoded, first) }
    }

    private mutating func recorded(
        _ batch: CommandBatch<SimulatedProcess.Waiter>, _ encoded: [[UInt8]], _ first: UInt64
    ) throws {
        guard let known = process?.records.count else { return }
        try check(first == UInt64(known + 1), 4, "a batch begins at \(first), not \(known + 1)")
        process?.records += encoded
        let recorded = batch.events.enumerated().map { index, event in
            RecordedEvent(position: Position(first + UInt64(index)), event: event)
        }
        let last = Position(first + UInt64(recorded.count) - 1)
        let settled = process?.state.recorded(through: last) ?? []
        for (waiter, answer) in batch.receipts(recorded) + settled { try take(answer, waiter) }
        for each in recorded {
            process?.scheduler.on(each.event)
            callAgent(each.event)
        }
    }

    /// A full disk is read again and written on; after any other failure nothing is written until a restart.
    private mutating func refused(_ batch: CommandBatch<SimulatedProcess.Waiter>, _ error: LogError) throws {
        guard !disk.isDown else { return end() }
        let isFull = error.code == .noSpace || error.code == .noDescriptors
        statistics.fullDisks += isFull ? 1 : 0
        statistics.failedWrites += isFull ? 0 : 1
        let answers = process?.state.failed(batch, isFull ? .readOnly("\(error)") : .stopped("\(error)")) ?? []
        for (waiter, answer) in answers { try take(answer, waiter) }
        guard isFull else { return }
        do {
            let (events, records) = try ledger.audit(disk)
            try check(records == process?.records, 12, "a full disk changed the log")
            process?.state.recovered(SimulatedProcess.memory(events))
        } catch let error as LogError {
            guard disk.isDown else { throw error }
            end()
        }
    }

    /// Keeps a snapshot, as the writer does now and then; its disk may refuse, or the machine stop meanwhile.
    mutating func saveSnapshot() {
        guard let memory = process?.state.durableMemory else { return }
        if random.chance(20) { snapshots.inject(random.pick(SimulatedDisk.Fault.allCases)) }
        if random.chance(20) { snapshots.stop(afterCalls: Int.random(in: 0...9, using: &random)) }
        let snapshot = SnapshotFile.Snapshot(position: memory.position.value, contents: memory.snapshot)
        if (try? SnapshotFile.save(snapshot, to: snapshots)) != nil { statistics.snapshots += 1 }
        if snapshots.isDown { end() }
    }

    private mutating func take(_ answer: WriterAnswer, _ waiter: SimulatedProcess.Waiter) throws {
        guard let known = process?.records else { return }
        switch answer {
        case .written(let receipt): ledger.acknowledge(through: receipt.position, known)
        case .settled(.unchanged(let position)):
            try check(position.value <= UInt64(known.count), 2, "\(position) is told and not durable")
        case .settled(.repeated(let first, let count)):
            try check(Int(first.value) + count - 1 <= known.count, 2, "a first answer is told and not durable")
            let event = try EventCodec.decode(known[Int(first.value) - 1])
            if case .client(let token?) = waiter {
                try check(event.causation.idempotency == token, 2, "another request's answer is given again")
                statistics.repeatedRequests += 1
            }
        case .settled(.refused), .failed: giveBack(waiter, answer)
        }
    }

    /// What the writer did not take comes again: the scheduler asks once more, the executor has a result to report.
    private mutating func giveBack(_ waiter: SimulatedProcess.Waiter, _ answer: WriterAnswer) {
        let later = now.adding(.seconds(1))
        switch waiter {
        case .client: break
        case .scheduler(let due): process?.scheduler.giveBack(due, retryAt: later)
        case .executor(var delivery):
            guard case .failed = answer else { return }
            delivery.time = later
            process?.deliveries.append(delivery)
        }
    }
}
