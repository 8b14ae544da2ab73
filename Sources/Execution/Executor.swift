package import CommandHandling
package import Domain
package import EventStore
package import Logging

/// Carries out recorded invokes and reports what came of them.
///
/// It sees `InvokeRequested` in the log, after it is durable, and calls the agent; the result goes back as a command.
package struct Executor: Sendable {
    private let commands: CommandHandler
    private let store: EventStore
    private let driver: any InvokeDriver
    private let created: @Sendable (RunID) async throws -> RunCreated?
    private let configuration: ExecutorConfiguration
    private let logger: Logger

    /// - Parameter created: reads the first event of a run, for messages that are not kept in memory.
    package init(
        commands: CommandHandler, store: EventStore, driver: any InvokeDriver,
        created: @escaping @Sendable (RunID) async throws -> RunCreated?,
        configuration: ExecutorConfiguration = ExecutorConfiguration(), logger: Logger
    ) {
        self.commands = commands
        self.store = store
        self.driver = driver
        self.created = created
        self.configuration = configuration
        self.logger = logger
    }

    /// Runs until its task is cancelled or the store closed. Calls in flight are broken off then; the next start
    /// records them as interrupted, and the scheduler has them tried again.
    ///
    /// - Parameters:
    ///   - active: the writer's memory when it stood at `position`, before anything new was requested: an invoke
    ///     that is open there was in flight when the process ended.
    package func run(from active: ActiveState, after position: Position) async throws {
        let registry = CallRegistry(callsMax: configuration.callsMax)
        try await withThrowingDiscardingTaskGroup { group in
            for run in active.runs.values.sorted(by: { $0.id < $1.id }) {
                guard let open = run.openInvoke else { continue }
                await reportInterrupted(run, open)
            }
            for try await batch in store.subscribe(after: position, waitingFor: Self.isOfInvokes) {
                for recorded in batch { await take(recorded.event, registry, &group) }
            }
            group.cancelAll()
        }
    }

    /// True for the events that `take` heeds.
    private static func isOfInvokes(_ event: Event) -> Bool {
        switch event.payload {
        case .runStatusChanged(let changed): changed.status.isFinished
        case .invokeFailed(let failed): failed.isStopped
        case .invokeRequested: true
        default: false
        }
    }

    private func take(
        _ event: Event, _ registry: CallRegistry, _ group: inout ThrowingDiscardingTaskGroup<any Error>
    ) async {
        if case .runStatusChanged(let changed) = event.payload, changed.status.isFinished {
            registry.cancel(RunID(event.stream.id))
        }
        // A stop ends an attempt whose call is in flight.
        if case .invokeFailed(let failed) = event.payload, failed.isStopped { registry.cancel(RunID(event.stream.id)) }
        guard case .invokeRequested(let requested) = event.payload,
            let run = commands.activeRun(RunID(event.stream.id)), let invokeURL = run.invokeURL
        else { return }
        let call = InvokeCall(
            runID: run.id, workspace: run.workspace, userID: run.userID, conversationID: run.conversationID,
            message: run.initialMessage ?? "", input: run.input, isInputInLog: run.isInputInLog,
            invokeURL: invokeURL, purpose: requested.purpose, attempt: requested.attempt,
            requestID: requested.requestID, idempotencyKey: Self.idempotencyKey(of: requested, run))
        guard let admitted = registry.admit(call) else { return }
        group.addTask {
            var next: CallRegistry.Admitted? = admitted
            while let current = next {
                await carryOut(current)
                next = registry.finish(current)
            }
        }
    }

    /// An agent that recognises repetitions may answer the same to a repeated attempt, and to no other.
    private static func idempotencyKey(of requested: InvokeRequested, _ run: RunState) -> String {
        switch requested.purpose {
        case .resume(let action): return "req-\(run.id)-resume-\(action)"
        case .start:
            let first = run.lastInvoke?.firstAttempt ?? 1
            return first == 1 ? "req-\(run.id)-start" : "req-\(run.id)-start-\(first)"
        }
    }

    private func carryOut(_ admitted: CallRegistry.Admitted) async {
        let call = admitted.call
        let result = await invoke(call, until: admitted.cancellation)
        guard let command = InvokeReport.command(for: result, of: call) else { return }
        await report(command, call.workspace)
    }

    private func invoke(_ call: InvokeCall, until cancellation: AsyncStream<Void>) async -> InvokeResult {
        await withTaskGroup(of: InvokeResult.self) { group in
            group.addTask { await invoke(call) }
            group.addTask {
                for await _ in cancellation {}
                return .cancelled
            }
            defer { group.cancelAll() }
            return await group.next() ?? .cancelled
        }
    }

    /// Calls the agent, with a long message as the read models have it.
    private func invoke(_ call: InvokeCall) async -> InvokeResult {
        guard call.isInputInLog, call.purpose == .start else { return await driver.invoke(call) }
        do {
            guard let created = try await self.created(call.runID) else {
                return .unreached("the run's message is not readable yet")
            }
            return await driver.invoke(call.with(created))
        } catch is CancellationError {
            return .cancelled
        } catch {
            return .unreached("the run's message cannot be read: \(error)")
        }
    }

    private func reportInterrupted(_ run: RunState, _ open: InvokeProgress) async {
        let failed = InvokeFailed(
            purpose: open.purpose, attempt: open.attempt, statusCode: nil,
            error: "interrupted by a restart before the agent's answer was recorded", isRetryable: true)
        logger.info("an invoke was in flight at the last stop", metadata: ["run_id": "\(run.id)"])
        await report(.failInvoke(run: run.id, failed), run.workspace)
    }

    /// Records a result. While the writer takes nothing the result waits: it is all that is known of the call.
    private func report(_ command: Command, _ workspace: WorkspaceName) async {
        while !Task.isCancelled {
            do throws(CommandError) {
                _ = try await commands.execute(command, CommandRequest(workspace: workspace, actor: .executor))
                return
            } catch {
                switch error {
                case .rejected(let rejection):
                    logger.debug("a result came too late", metadata: ["reason": "\(rejection.message)"])
                    return
                case .stopped, .idempotencyMismatch: return
                case .overloaded, .readOnly:
                    logger.warning("a result has to wait", metadata: ["error": "\(error)"])
                    do { try await Task.sleep(for: .seconds(1)) } catch { return }
                }
            }
        }
    }
}
