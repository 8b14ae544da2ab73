package import Domain
package import EventStore
package import Logging
import Metrics

/// The only writer: decides commands in memory, one at a time, and answers when their events are on disk.
///
/// A decision and its place in the queue are one turn with no await between, so that no two commands can both
/// pass a check that one of them ends. While one batch is being synced the next is decided.
package actor CommandHandler {
    enum Phase {
        case accepting
        /// The disk was full: the memory is folded anew from the log, then writes are tried again.
        case readOnly(String)
        case stopped(String)
    }

    private static let readOnlyPause = Duration.seconds(1)

    package nonisolated let clock: any WallClock
    let store: EventStore
    let logger: Logger
    let settings: DecisionSettings
    private let identifiers: IdentifierSource
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    var phase: Phase = .accepting
    private var memory: WriterMemory
    private var queue: CommandQueue
    private var durableWaiters: [(position: Position, completion: CheckedContinuation<Bool, Never>)] = []

    private let commandsCounter = Counter(label: "sluice_commands_total")
    private let rejectionsCounter = Counter(label: "sluice_commands_rejected_total")
    private let batchEventsRecorder = Recorder(label: "sluice_commit_batch_events")

    /// Folds the log and starts with an empty queue; `run()` has to be running for commands to be answered.
    ///
    /// - Throws: `CommandError.stopped` when the log cannot be read.
    package static func open(
        store: EventStore, settings: DecisionSettings = DecisionSettings(), clock: any WallClock = SystemWallClock(),
        identifiers: IdentifierSource? = nil, queueLengthMax: Int = 16_384, logger: Logger
    ) async throws(CommandError) -> CommandHandler {
        let memory = try await WriterMemory.folding(store, limits: settings.limits)
        return CommandHandler(
            store: store, memory: memory, settings: settings, clock: clock,
            identifiers: identifiers ?? IdentifierSource(clock: clock), queueLengthMax: queueLengthMax, logger: logger)
    }

    private init(
        store: EventStore, memory: WriterMemory, settings: DecisionSettings, clock: any WallClock,
        identifiers: IdentifierSource, queueLengthMax: Int, logger: Logger
    ) {
        self.store = store
        self.memory = memory
        self.settings = settings
        self.clock = clock
        self.identifiers = identifiers
        self.logger = logger
        queue = CommandQueue(lengthMax: queueLengthMax, bytesMax: 64 * 1024 * 1024)
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// A new UUIDv7.
    package nonisolated func newID<Entity>() -> Identifier<Entity> { Identifier(identifiers.next()) }

    /// Decides the command and returns once its events are durable.
    ///
    /// With an idempotency token that was used before for the same request, nothing is decided: the first
    /// command's events are the answer.
    package func execute(_ command: Command, _ request: CommandRequest) async throws(CommandError) -> Receipt {
        try checkAccepting()
        if let position = recordedAnswerPosition(command, request) {
            return try await repeated(from: position, count: 1)
        }
        if let token = request.idempotency, let entry = try earlierUse(of: token, request.workspace) {
            guard entry.count > 0 else { return try await unchanged() }
            return try await repeated(from: entry.first, count: entry.count)
        }
        guard !queue.isFull else { throw .overloaded }
        commandsCounter.increment()
        let seen = memory.position
        let events: [Event]
        do {
            events = try decide(command, request)
        } catch {
            // A refusal tells of what is so: it may not tell of what a full disk then takes back.
            try await awaitDurable(seen)
            throw error
        }
        guard !events.isEmpty else { return try await unchanged() }
        memory.evolve(events, now: clock.now())
        let result = await withCheckedContinuation { completion in
            queue.append(events, completion)
            signal.yield()
        }
        return try result.get()
    }

    /// The first answer to the request, when there was one.
    ///
    /// - Throws: `CommandError.idempotencyMismatch` when the key was used with another request.
    package func recordedAnswer(
        _ token: IdempotencyToken, _ workspace: WorkspaceName
    ) async throws(CommandError) -> AnswerRecorded? {
        guard let position = try earlierUse(of: token, workspace)?.answer else { return nil }
        let receipt = try await repeated(from: position, count: 1)
        guard case .answerRecorded(let answer)? = receipt.events.first?.event.payload else { return nil }
        return answer
    }

    /// What is remembered of a run that is not finished.
    package func activeRun(_ id: RunID) -> RunState? { memory.state.runs[id] }

    /// How many commands wait to be written.
    package var queueLength: Int { queue.count }

    /// Whether commands are accepted, and if not, why.
    package func refusal() -> CommandError? {
        do {
            try checkAccepting()
            return nil
        } catch {
            return error
        }
    }

    /// A copy of the memory and the position it stands for; every event up to there is durable.
    package func snapshot() async throws(CommandError) -> (state: ActiveState, position: Position) {
        let copy = (memory.state, memory.position)
        try await awaitDurable(copy.1)
        return copy
    }

    /// The commit loop: runs until its task is cancelled, then writes what is queued and refuses the rest.
    package func run() async {
        for await _ in signals {
            while !queue.isEmpty { await commit() }
        }
        phase = .stopped("Sluice is shutting down")
        while !queue.isEmpty { await commit() }
        resumeWaiters()
    }

    private func decide(_ command: Command, _ request: CommandRequest) throws(CommandError) -> [Event] {
        let context = DecisionContext(
            time: max(clock.now(), memory.time), workspace: request.workspace, actor: request.actor,
            commandID: newID(), idempotency: request.idempotency, traceparent: request.traceparent,
            settings: settings)
        do {
            return try memory.state.decide(command, context)
        } catch {
            rejectionsCounter.increment()
            throw .rejected(error)
        }
    }

    private func commit() async {
        let batch = queue.takeBatch()
        batchEventsRecorder.record(batch.events.count)
        do {
            let recorded = try await store.append(batch.events)
            var next = 0
            for (count, completion) in batch.waiting {
                let events = Array(recorded[next..<next + count])
                next += count
                completion.resume(
                    returning: .success(
                        Receipt(position: recorded[next - 1].position, events: events, isRepeated: false)))
            }
            resumeWaiters()
        } catch {
            await fail(batch, error)
        }
    }

    /// Nothing of the batch, nor of what was decided in sight of it, is in the log: refuse it all and forget it.
    private func fail(_ batch: CommandQueue.Batch, _ cause: EventStoreError) async {
        let error = CommandError(cause)
        logger.error("append failed; every queued command is refused", metadata: ["error": "\(cause)"])
        phase = .readOnly("the event log is being read again after a failed write")
        for (_, completion) in batch.waiting { completion.resume(returning: .failure(error)) }
        queue.failAll(error)
        resumeWaiters()
        guard case .readOnly = error else {
            phase = .stopped("\(cause)")
            return
        }
        do {
            memory = try await WriterMemory.folding(store, limits: settings.limits)
            // Space does not return at once; until then every try would cost a fold of the log.
            try? await Task.sleep(for: Self.readOnlyPause)
            phase = .accepting
        } catch {
            phase = .stopped("the event log could not be read again: \(error)")
        }
    }

    private func checkAccepting() throws(CommandError) {
        switch phase {
        case .accepting: return
        case .readOnly(let reason): throw .readOnly(reason)
        case .stopped(let reason): throw .stopped(reason)
        }
    }

    private func earlierUse(
        of token: IdempotencyToken, _ workspace: WorkspaceName
    ) throws(CommandError) -> IdempotencyIndex.Entry? {
        memory.idempotency.trim(now: clock.now())
        guard let entry = memory.idempotency.entry(token, workspace) else { return nil }
        guard entry.fingerprint == token.fingerprint else { throw .idempotencyMismatch }
        return entry
    }

    private func recordedAnswerPosition(_ command: Command, _ request: CommandRequest) -> Position? {
        guard case .recordAnswer(let answer) = command else { return nil }
        return memory.idempotency.entry(answer.token, request.workspace)?.answer
    }

    private func repeated(from first: Position, count: Int) async throws(CommandError) -> Receipt {
        let last = Position(first.value + UInt64(count) - 1)
        try await awaitDurable(last)
        var events: [RecordedEvent] = []
        do {
            while events.count < count {
                let page = try await store.read(
                    from: Position(first.value + UInt64(events.count)), limit: count - events.count)
                guard !page.isEmpty else { break }
                events += page
            }
        } catch {
            throw CommandError(error)
        }
        return Receipt(position: last, events: events, isRepeated: true)
    }

    /// A command that found everything done already is answered once what it saw is durable.
    private func unchanged() async throws(CommandError) -> Receipt {
        let position = memory.position
        try await awaitDurable(position)
        return Receipt(position: position, events: [], isRepeated: false)
    }

    /// Returns once every event up to the position is on disk.
    ///
    /// - Throws: what refuses commands now, when the writing of those events has failed.
    private func awaitDurable(_ position: Position) async throws(CommandError) {
        if store.durablePosition >= position { return }
        if case .stopped(let reason) = phase, queue.isEmpty { throw .stopped(reason) }
        let isDurable = await withCheckedContinuation { durableWaiters.append((position, $0)) }
        guard !isDurable else { return }
        try checkAccepting()
        throw .readOnly("the log was read again after a failed write; send the request again")
    }

    private func resumeWaiters() {
        let durable = store.durablePosition
        let isBroken = if case .accepting = phase { false } else { true }
        durableWaiters.removeAll { waiter in
            guard isBroken || waiter.position <= durable else { return false }
            waiter.completion.resume(returning: waiter.position <= durable)
            return true
        }
    }
}

extension CommandError {
    init(_ error: EventStoreError) {
        self = error.isNoSpace ? .readOnly("\(error)") : .stopped("\(error)")
    }
}
