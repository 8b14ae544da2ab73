package import Domain
package import EventStore
package import Logging
import Metrics
import Synchronization

/// The only writer: decides commands in memory, one at a time, and answers when their events are on disk.
///
/// A thin shell around `WriterState`, which a mutex keeps for one command at a time: deciding takes microseconds and never
/// waits. While one batch is being synced the next is decided.
package final class CommandHandler: Sendable {
    private typealias Waiter = CheckedContinuation<WriterAnswer, Never>
    /// Makes the redaction of the links that open the consents of a run.
    package typealias LinkRedaction = @Sendable (RunID, [ActionID]) -> (String) -> String
    /// The newest durable state of the keyring; `nil` when nothing is sealed.
    package typealias KeyringState = @Sendable () -> KeyringMark?

    /// Decides about a person who may be new; `nil` admits them.
    package typealias PersonAdmission = @Sendable (PersonName, Actor) -> Rejection?

    private static let readOnlyPause = Duration.seconds(1)

    package let clock: any WallClock
    private let store: EventStore
    private let logger: Logger
    private let settings: DecisionSettings
    private let identifiers: IdentifierSource
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation
    private let state: Mutex<WriterState<Waiter>>
    private let snapshots: Mutex<SnapshotSchedule>
    private let linkRedaction = Mutex<LinkRedaction?>(nil)
    let admission = Mutex<PersonAdmission?>(nil)
    private let keyring: KeyringState

    private let commandsCounter = Counter(label: "sluice_commands_total")
    private let rejectionsCounter = Counter(label: "sluice_commands_rejected_total")
    private let batchEventsRecorder = Recorder(label: "sluice_commit_batch_events")

    /// Folds the log, from its newest snapshot on, and starts with an empty queue; `run()` has to be running for commands
    /// to be answered.
    ///
    /// - Parameters:
    ///   - keyring: the state of the keyring, which snapshots are kept with.
    ///   - observe: receives every event that is folded, in order.
    /// - Throws: `CommandError.stopped` when the log cannot be read.
    package static func open(
        store: EventStore, settings: DecisionSettings = DecisionSettings(), clock: any WallClock = SystemWallClock(),
        identifiers: IdentifierSource? = nil, queueLengthMax: Int = 16_384,
        snapshotEventsMin: UInt64 = SnapshotSchedule.eventsMin, logger: Logger,
        keyring: @escaping KeyringState = { nil }, observe: (RecordedEvent) -> Void = { _ in }
    ) async throws(CommandError) -> CommandHandler {
        let (memory, newest) = try await WriterMemory.folding(
            store, limits: settings.limits, keyring: keyring(), observe: observe)
        return CommandHandler(
            store: store, memory: memory, settings: settings, clock: clock,
            identifiers: identifiers ?? IdentifierSource(clock: clock), queueLengthMax: queueLengthMax,
            snapshots: SnapshotSchedule(newest: newest, eventsMin: snapshotEventsMin), logger: logger,
            keyring: keyring)
    }

    private init(
        store: EventStore, memory: WriterMemory, settings: DecisionSettings, clock: any WallClock,
        identifiers: IdentifierSource, queueLengthMax: Int, snapshots: SnapshotSchedule, logger: Logger,
        keyring: @escaping KeyringState
    ) {
        self.keyring = keyring
        self.store = store
        self.settings = settings
        self.clock = clock
        self.identifiers = identifiers
        self.logger = logger
        state = Mutex(WriterState(memory: memory, settings: settings, queueLengthMax: queueLengthMax))
        self.snapshots = Mutex(snapshots)
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// The newest position of the log.
    package var durablePosition: Position { store.durablePosition }

    /// A new UUIDv7.
    package func newID<Entity>() -> Identifier<Entity> { Identifier(identifiers.next()) }

    /// Decides the command and returns once its events are durable.
    ///
    /// With an idempotency token that was used before for the same request, nothing is decided: the first
    /// command's events are the answer. A refusal too is given once everything that it tells of is durable.
    package func execute(_ command: Command, _ request: CommandRequest) async throws(CommandError) -> Receipt {
        commandsCounter.increment()
        if let rejection = command.nameRejection { throw .rejected(rejection) }
        let command = redacted(command)
        let (id, now): (EventID, Timestamp) = (newID(), clock.now())
        let answer = await withCheckedContinuation { waiter in
            let refusal = refusal(of: command, request)
            let (answer, wakesDriver) = state.withLock {
                $0.submit(command, request, id: id, now: now, refusal: refusal, waiter)
            }
            if let answer { waiter.resume(returning: answer) }
            if wakesDriver { signal.yield() }
        }
        return try await receipt(answer)
    }

    /// Sets the redaction of consent links in the texts that agents and clients give for the record of a run.
    package func redactConsentLinks(with redaction: @escaping LinkRedaction) {
        linkRedaction.withLock { $0 = redaction }
    }

    /// The command as it is decided. A link that opens nothing any more may stay.
    private func redacted(_ command: Command) -> Command {
        guard let id = command.recordedRun, let run = activeRun(id) else { return command }
        let waiting = run.actions.filter { $0.isConsent && $0.status == .blocked }.map(\.id)
        guard !waiting.isEmpty, let redaction = linkRedaction.withLock({ $0 }) else { return command }
        return command.redacted(by: redaction(id, waiting))
    }

    /// Whether the rules would take the command now: nothing is written, and nothing is promised for later.
    ///
    /// - Throws: `CommandError.rejected` as `execute` would.
    package func check(_ command: Command, _ request: CommandRequest) throws(CommandError) {
        if let rejection = command.nameRejection { throw .rejected(rejection) }
        let (id, now): (EventID, Timestamp) = (newID(), clock.now())
        let rejection =
            state.withLock { $0.rejection(of: command, request, id: id, now: now) } ?? refusal(of: command, request)
        if let rejection { throw .rejected(rejection) }
    }

    /// The first answer to the request, when there was one.
    ///
    /// - Throws: `CommandError.idempotencyMismatch` when the key was used with another request; `CommandError.rejected` when
    ///   the key is new and there is no room to remember it.
    package func recordedAnswer(
        _ token: IdempotencyToken, _ workspace: WorkspaceName
    ) async throws(CommandError) -> AnswerRecorded? {
        let now = clock.now()
        let answer = await settled { state, waiter in
            state.settleRecordedAnswer(token, workspace, now: now, waiter)
        }
        let receipt = try await receipt(answer)
        guard case .answerRecorded(let answer)? = receipt.events.first?.event.payload else { return nil }
        return answer
    }

    /// What is remembered of a run that is not finished.
    package func activeRun(_ id: RunID) -> RunState? { state.withLock { $0.active.runs[id] } }

    /// The same without its calls of tools: holding it does not make the writer copy a long journal.
    package func activeRunWithoutCalls(_ id: RunID) -> RunState? {
        state.withLock { $0.active.runs[id]?.withoutCalls }
    }

    /// The stop that keeps an agent, or a tool from being called by it; `nil` when nothing is stopped.
    package func stop(ofAgent agent: String?, tool: String? = nil, in workspace: WorkspaceName) -> ControlState? {
        state.withLock { state in
            guard let tool else { return state.active.stop(ofAgent: agent, in: workspace) }
            return state.active.stop(ofTool: tool, for: agent, in: workspace)
        }
    }

    /// The reason why a run gets no further model call; `nil` while there is room.
    package func reachedLimit(of run: RunID, identity: UUIDValue?, _ limits: RunLimitOverrides) -> String? {
        state.withLock { $0.active.reachedLimit(of: run, identity: identity, limits, settings) }
    }

    /// True while the run is not finished.
    package func isActive(_ run: RunID) -> Bool { state.withLock { $0.active.runs[run] != nil } }

    /// True while an agent of that name is deployed.
    package func hasAgent(_ name: String, _ workspace: WorkspaceName) -> Bool {
        state.withLock { $0.active.agentUID(named: name, workspace) != nil }
    }

    /// Refuses what a superseded attempt of a run asks for, by a look at the memory.
    ///
    /// For reads of other systems that no command decides; a command checks the attempt when it is decided.
    ///
    /// - Throws: `rejected` with `attemptSuperseded`, or with `runNotActive` when the run is over.
    package func checkAttempt(of id: RunID, attemptID: String?) throws(CommandError) {
        do throws(Rejection) {
            try state.withLock { (state) throws(Rejection) in
                guard let run = state.active.runs[id] else {
                    throw Rejection(.runNotActive, "run \(id) not found, or finished")
                }
                try state.active.checkAttempt(of: run, requestID: attemptID)
            }
        } catch {
            throw .rejected(error)
        }
    }

    /// What is remembered of a message to approvers.
    package func delivery(_ id: DeliveryID) -> DeliveryState? { state.withLock { $0.active.deliveries[id] } }

    /// The messages about one subject that are remembered.
    package func deliveries(about subject: DeliverySubject) -> [DeliveryState] {
        deliveries(about: subject.key)
    }

    /// The messages about whatever has that key.
    package func deliveries(about subject: UUIDValue) -> [DeliveryState] {
        state.withLock { $0.active.deliveries.about(subject) }
    }

    /// The votes on a blocked action, each with the reason why it does not count; `nil` for one that does.
    package func votes(on action: ActionID, in run: RunID) -> [(vote: ActionState.Vote, lostStanding: String?)] {
        state.withLock { $0.active.votes(on: action, in: run) }
    }

    /// The longest grant where no approval rule has a duration.
    package var grantDurationMax: Duration { settings.grantDurationMax }

    /// Whether somebody still has to decide.
    package func isOpen(_ subject: DeliverySubject) -> Bool { state.withLock { $0.active.isOpen(subject) } }

    /// The agent's runs, `max` at most, that it has been called for and has not answered yet.
    ///
    /// Looks through the unfinished runs.
    package func runsInTurn(of agentID: String, _ workspace: WorkspaceName, max: Int) -> [RunState] {
        state.withLock { state in
            Array(
                state.active.runs.values.lazy.filter {
                    $0.agentID == agentID && $0.workspace == workspace && $0.openInvoke != nil
                }.prefix(max))
        }
    }

    /// The pending request that a new one would repeat.
    package func pendingAccessRequest(like request: RequestAccess, in workspace: WorkspaceName) -> AccessRequestID? {
        state.withLock { $0.active.existingAccessRequest(request, workspace)?.id }
    }

    /// How many commands wait to be written.
    package var queueLength: Int { state.withLock { $0.queueLength } }

    /// The time of the newest event decided: no later one is before it.
    package var newestTime: Timestamp { state.withLock { $0.memory.time } }

    /// The time since the write in flight began; `nil` while there is none.
    package var appendDuration: Duration? { store.appendDuration }

    /// Why commands are not accepted; `nil` when they are.
    package var refusal: CommandError? { state.withLock { $0.refusal } }

    /// A copy of the memory and the position it stands for; every event up to there is durable.
    package func snapshot() async throws(CommandError) -> (state: ActiveState, position: Position) {
        let memory = try await durableMemory()
        return (memory.state, memory.position)
    }

    /// A copy of the memory, once all that is in it is durable.
    private func durableMemory() async throws(CommandError) -> WriterMemory {
        let memory = state.withLock { $0.memory }
        _ = try await receipt(await settled { $0.settle($1) })
        return memory
    }

    /// The commit loop: runs until its task is cancelled, then writes what is queued and refuses the rest. Now and then,
    /// and at the end, it keeps a snapshot of the memory for the next start.
    ///
    /// - Parameter visible: returns once reads show a position, or never will. Answers wait for it, a batch at a time, so
    ///   that the next read of whoever is answered need not.
    package func run(visible: @escaping @Sendable (Position) async -> Void = { _ in }) async {
        await withDiscardingTaskGroup { group in
            for await _ in signals { await commitAll(&group, visible) }
            state.withLock { $0.stop("Sluice is shutting down") }
            await commitAll(&group, visible)
        }
        answer(state.withLock { $0.giveUp() })
        if let memory = state.withLock({ $0.durableMemory }),
            snapshots.withLock({ $0.isDueAtEnd(at: memory.position) })
        {
            await save(memory)
        }
    }

    /// Writes batch after batch. What was written is answered when it is visible; the next batch does not wait for that.
    private func commitAll(
        _ group: inout DiscardingTaskGroup, _ visible: @escaping @Sendable (Position) async -> Void
    ) async {
        while let batch = state.withLock({ $0.takeBatch() }) {
            batchEventsRecorder.record(batch.events.count)
            do {
                let recorded = try await store.append(batch.events)
                guard let last = recorded.last?.position else { continue }
                let settled = state.withLock { $0.recorded(through: last) }
                group.addTask { [self] in
                    await visible(last)
                    answer(batch.receipts(recorded) + settled)
                }
                if snapshots.withLock({ $0.isDue(at: last, memoryCount: state.withLock { $0.memoryCount }) }) {
                    group.addTask { [self] in await saveSoon() }
                }
            } catch {
                await fail(batch, error)
            }
        }
    }

    private func fail(_ batch: CommandBatch<Waiter>, _ cause: EventStoreError) async {
        logger.error("append failed; every queued command is refused", metadata: ["error": "\(cause)"])
        answer(state.withLock { $0.failed(batch, CommandError(cause)) })
        guard cause.isShortage else { return }
        while !(await recover()) { try? await Task.sleep(for: Self.readOnlyPause) }
    }

    /// Folds the log again after a shortage and accepts commands; false while the shortage keeps the log unreadable.
    private func recover() async -> Bool {
        do throws(CommandError) {
            let (memory, _) = try await WriterMemory.folding(store, limits: settings.limits, keyring: keyring())
            // Space does not return at once; until then every try would cost a fold of the log.
            try? await Task.sleep(for: Self.readOnlyPause)
            state.withLock { $0.recovered(memory) }
            logger.notice("writer accepts commands again")
            return true
        } catch {
            if case .readOnly = error, !Task.isCancelled { return false }
            state.withLock { $0.stop("the event log could not be read again: \(error)") }
            return true
        }
    }

    /// Saves the memory once all that is in it is durable.
    private func saveSoon() async {
        guard let memory = try? await durableMemory() else { return snapshots.withLock { $0.saved(at: .zero) } }
        await save(memory)
    }

    /// Keeps a snapshot of the memory as it is, in the place of every older one, whatever they say.
    package func renewSnapshot() async throws { try await keep(try await durableMemory()) }

    private func keep(_ memory: WriterMemory) async throws(EventStoreError) {
        defer { snapshots.withLock { $0.saved(at: memory.position) } }
        try await store.saveSnapshot(memory.snapshot(keyring: keyring()), at: memory.position)
    }

    private func save(_ memory: WriterMemory) async {
        do {
            try await keep(memory)
        } catch {
            logger.warning(
                "no snapshot was kept; the next start takes longer",
                metadata: ["error": "\(error)", "position": "\(memory.position)"])
        }
    }

    private func settled(
        _ body: (inout WriterState<Waiter>, Waiter) -> WriterAnswer?
    ) async -> WriterAnswer {
        await withCheckedContinuation { waiter in
            if let answer = state.withLock({ body(&$0, waiter) }) { waiter.resume(returning: answer) }
        }
    }

    private func answer(_ answers: WriterState<Waiter>.Answers) {
        for (waiter, answer) in answers { waiter.resume(returning: answer) }
    }

    private func receipt(_ answer: WriterAnswer) async throws(CommandError) -> Receipt {
        switch answer {
        case .written(let receipt): return receipt
        case .settled(.unchanged(let position)): return Receipt(position: position, events: [], isRepeated: false)
        case .settled(.repeated(let first, let count)): return try await repeated(from: first, count: count)
        case .settled(.refused(let rejection)):
            rejectionsCounter.increment()
            throw .rejected(rejection)
        case .failed(let error): throw error
        }
    }

    private func repeated(from first: Position, count: Int) async throws(CommandError) -> Receipt {
        var events: [RecordedEvent] = []
        do {
            let last = Position(first.value + UInt64(count) - 1)
            var next = first
            while next <= last {
                let page = try await store.read(from: next, through: last, limit: count)
                guard let newest = page.last else { break }
                events += page
                next = newest.position.next
            }
        } catch {
            throw CommandError(error)
        }
        return Receipt(position: Position(first.value + UInt64(count) - 1), events: events, isRepeated: true)
    }
}

extension CommandError {
    init(_ error: EventStoreError) {
        self = error.isShortage ? .readOnly("\(error)") : .stopped("\(error)")
    }
}
