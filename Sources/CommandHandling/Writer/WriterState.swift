package import Domain

/// What the writer has to say to whoever sent a command.
package enum WriterAnswer: Sendable {
    /// The command's events are in the log.
    case written(Receipt)
    /// There is nothing to write, and everything that this answer tells of is durable.
    case settled(Settled)
    case failed(CommandError)

    package enum Settled: Sendable {
        case refused(Rejection)
        /// Everything is so already, at this position.
        case unchanged(Position)
        /// This request was carried out before, by `count` events from `first` on.
        case repeated(first: Position, count: Int)
    }
}

/// The writer without its waiting: what is decided, what is queued, who is answered when.
///
/// Synchronous, and free of clocks and chance: times and ids are passed in, the log is written by whoever drives it. So
/// a simulation can drive it in one thread. A decision and its place in the queue are one call, so that no two commands
/// can both pass a check that one of them ends.
///
/// A driver takes batches with `takeBatch`, writes each, and reports with `recorded` or `failed`. What these hand back
/// has to be answered.
package struct WriterState<Waiter: Sendable>: Sendable {
    package typealias Answers = [(waiter: Waiter, answer: WriterAnswer)]

    private enum Phase {
        case accepting
        /// The disk was full: the memory is folded anew from the log, then writes are tried again.
        case readOnly(String)
        case stopped(String)
    }

    private let settings: DecisionSettings
    private var phase = Phase.accepting
    package private(set) var memory: WriterMemory
    private var queue: CommandQueue<Waiter>
    private var durable: Position
    /// Who waits for earlier commands to be on disk: their answer tells of those.
    private var settling: [(position: Position, waiter: Waiter, answer: WriterAnswer.Settled)] = []
    /// Whether the driver waits to be told of something to write.
    private var isIdle = true

    package init(memory: WriterMemory, settings: DecisionSettings, queueLengthMax: Int) {
        self.memory = memory
        self.settings = settings
        durable = memory.position
        queue = CommandQueue(lengthMax: queueLengthMax, bytesMax: 64 * 1024 * 1024)
    }

    /// The unfinished, as far as it is decided.
    package var active: ActiveState { memory.state }
    package var position: Position { memory.position }
    package var queueLength: Int { queue.count }
    /// How many things are remembered.
    package var memoryCount: Int { memory.count }
    /// The memory, when everything in it is durable.
    package var durableMemory: WriterMemory? { memory.position == durable ? memory : nil }

    /// Why commands are refused at the moment.
    package var refusal: CommandError? {
        switch phase {
        case .accepting: nil
        case .readOnly(let reason): .readOnly(reason)
        case .stopped(let reason): .stopped(reason)
        }
    }

    /// Decides a command and queues its events.
    ///
    /// With an idempotency token that was used before for the same request, nothing is decided: the first command's
    /// events are the answer. A new token for which there is no room is refused, unless the command ends work: that is
    /// decided, and its token is not remembered.
    ///
    /// - Parameter refusal: the reason why there is no room for the person that the command names.
    /// - Returns: the answer, when there is one already; and whether the driver has to be woken.
    package mutating func submit(
        _ command: Command, _ request: CommandRequest, id: EventID, now: Timestamp, refusal noRoom: Rejection? = nil,
        _ waiter: Waiter
    ) -> (answer: WriterAnswer?, wakesDriver: Bool) {
        if let refusal { return (.failed(refusal), false) }
        var request = request
        do {
            if let earlier = try earlierUse(of: command, request, now) { return (settle(earlier, waiter), false) }
        } catch {
            guard command.endsWork, case .rejected = error else { return (.failed(error), false) }
            request = request.withoutKey
        }
        guard !queue.isFull else { return (.failed(.overloaded), false) }
        let context = self.context(request, id: id, now: now)
        let events: [Event]
        do throws(Rejection) {
            events = try decide(command, context)
            if let noRoom, !events.isEmpty { throw noRoom }
        } catch {
            return (settle((memory.position, .refused(error)), waiter), false)
        }
        guard !events.isEmpty else { return (settle((memory.position, .unchanged(memory.position)), waiter), false) }
        memory.evolve(events, now: now)
        queue.append(events, waiter)
        defer { isIdle = false }
        return (nil, isIdle)
    }

    /// What the rules have against the command now; nothing is decided by asking.
    package func rejection(
        of command: Command, _ request: CommandRequest, id: EventID, now: Timestamp
    ) -> Rejection? {
        do throws(Rejection) {
            _ = try decide(command, context(request, id: id, now: now))
            return nil
        } catch {
            return error
        }
    }

    private func decide(_ command: Command, _ context: DecisionContext) throws(Rejection) -> [Event] {
        try memory.state.checkKey(of: command, context)
        return try memory.state.decide(command, context)
    }

    private func context(_ request: CommandRequest, id: EventID, now: Timestamp) -> DecisionContext {
        DecisionContext(
            time: max(now, memory.time), workspace: request.workspace, actor: request.actor,
            actorGroups: request.actorGroups, agent: request.agent, attemptID: request.attemptID, commandID: id,
            idempotency: request.idempotency, traceparent: request.traceparent, settings: settings)
    }

    /// Answers with the newest position once everything up to there is durable.
    package mutating func settle(_ waiter: Waiter) -> WriterAnswer? {
        settle((memory.position, .unchanged(memory.position)), waiter)
    }

    /// The recorded answer to a request that was carried out before.
    package mutating func settleRecordedAnswer(
        _ token: IdempotencyToken, _ workspace: WorkspaceName, now: Timestamp, _ waiter: Waiter
    ) -> WriterAnswer? {
        do {
            guard let answer = try earlierUse(of: token, workspace, now)?.answer else {
                return .settled(.unchanged(durable))
            }
            return settle((answer, .repeated(first: answer, count: 1)), waiter)
        } catch {
            return .failed(error)
        }
    }

    /// The next commands to write as one frame; `nil` when there are none, and `submit` then says when there are.
    package mutating func takeBatch() -> CommandBatch<Waiter>? {
        let batch = queue.takeBatch()
        isIdle = batch == nil
        return batch
    }

    /// Everything up to `position` is on disk.
    package mutating func recorded(through position: Position) -> Answers {
        durable = position
        guard !settling.isEmpty else { return [] }
        let due = settling.filter { $0.position <= position }.map { ($0.waiter, WriterAnswer.settled($0.answer)) }
        settling.removeAll { $0.position <= position }
        return due
    }

    /// Nothing of the batch is in the log, nor of what was decided in sight of it: everybody is refused.
    ///
    /// After `readOnly`, `recovered` makes the writer accept commands again; any other error is for good.
    package mutating func failed(_ batch: CommandBatch<Waiter>, _ error: CommandError) -> Answers {
        switch error {
        case .readOnly(let reason): phase = .readOnly(reason)
        case .stopped(let reason): phase = .stopped(reason)
        case .rejected, .idempotencyMismatch, .overloaded: preconditionFailure("\(error) is no failure of a write")
        }
        let queued = queue.takeWaiters().map { ($0, WriterAnswer.failed(error)) }
        return batch.refusals(error) + queued + giveUpSettling(error)
    }

    /// Goes on with a memory that was folded anew from the log.
    package mutating func recovered(_ memory: WriterMemory) {
        self.memory = memory
        durable = memory.position
        phase = .accepting
    }

    /// Accepts nothing any more; what is queued may still be written.
    package mutating func stop(_ reason: String) {
        if case .stopped = phase { return }
        phase = .stopped(reason)
    }

    /// Refuses whoever waits for something that will not be written any more.
    package mutating func giveUp() -> Answers { giveUpSettling(refusal ?? .stopped("the writer has ended")) }

    private mutating func giveUpSettling(_ error: CommandError) -> Answers {
        defer { settling = [] }
        return settling.map { ($0.waiter, .failed(error)) }
    }

    /// An answer tells of what is so: it may not tell of what a full disk then takes back.
    private mutating func settle(
        _ told: (position: Position, answer: WriterAnswer.Settled), _ waiter: Waiter
    ) -> WriterAnswer? {
        guard told.position > durable else { return .settled(told.answer) }
        if let refusal, queue.isEmpty { return .failed(refusal) }
        settling.append((told.position, waiter, told.answer))
        return nil
    }

    private mutating func earlierUse(
        of command: Command, _ request: CommandRequest, _ now: Timestamp
    ) throws(CommandError) -> (Position, WriterAnswer.Settled)? {
        if case .recordAnswer(let answer, _) = command {
            let position = memory.idempotency.answer(to: answer.token, request.workspace)
            return position.map { ($0, .repeated(first: $0, count: 1)) }
        }
        guard let token = request.idempotency, let entry = try earlierUse(of: token, request.workspace, now) else {
            return nil
        }
        guard entry.count > 0 else { return (memory.position, .unchanged(memory.position)) }
        return (entry.last, .repeated(first: entry.first, count: entry.count))
    }

    private mutating func earlierUse(
        of token: IdempotencyToken, _ workspace: WorkspaceName, _ now: Timestamp
    ) throws(CommandError) -> IdempotencyIndex.Entry? {
        memory.idempotency.trim(now: now)
        guard let entry = memory.idempotency.entry(token, workspace) else {
            if let entry = memory.idempotency.entryOfEarlierVersion(token, workspace) { return entry }
            do throws(Rejection) { try memory.idempotency.checkRoom(for: token, workspace) } catch {
                throw .rejected(error)
            }
            return nil
        }
        guard entry.fingerprint == token.fingerprint else { throw .idempotencyMismatch }
        return entry
    }
}
