package import CommandHandling
package import Domain
package import EventStore
package import Logging

/// Drives runs: has invokes recorded, tries them again, and ends what has run out of time.
///
/// A thin shell around `SchedulerState`: it waits for events and deadlines and sends what is due to the writer.
package actor Scheduler {
    private static let parallelCommandsMax = 256

    private let commands: CommandHandler
    private let store: EventStore
    private let configuration: SchedulerConfiguration
    private let logger: Logger

    package init(
        commands: CommandHandler, store: EventStore, configuration: SchedulerConfiguration = SchedulerConfiguration(),
        logger: Logger
    ) {
        self.commands = commands
        self.store = store
        self.configuration = configuration
        self.logger = logger
    }

    /// Runs until its task is cancelled or the store closed.
    ///
    /// - Parameters:
    ///   - active: the writer's memory when it stood at `position`.
    package func run(from active: ActiveState, after position: Position) async throws {
        var state = SchedulerState(active, configuration)
        var subscription = store.subscribe(after: position)
        var timers = RunningTimers()
        try await withThrowingTaskGroup(of: Wake.self) { group in
            defer { group.cancelAll() }
            addWait(for: subscription, to: &group)
            while true {
                let due = state.due(at: commands.clock.now())
                if !due.isEmpty {
                    await execute(due, &state)
                    continue
                }
                if let end = state.nextDeadline.map(instant), timers.start(end) {
                    group.addTask {
                        try await Task.sleep(until: end)
                        return .timer(end)
                    }
                }
                switch try await group.next() {
                case .batch(let batch, let advanced):
                    for recorded in batch { state.on(recorded.event) }
                    subscription = advanced
                    addWait(for: subscription, to: &group)
                case .timer(let end): timers.ended(end)
                case .closed, nil: return
                }
            }
        }
    }

    private enum Wake: Sendable {
        case batch([RecordedEvent], EventSubscription)
        case timer(ContinuousClock.Instant)
        case closed
    }

    /// Waits for the next events. The cursor moves only with a batch that is taken.
    private func addWait(for subscription: EventSubscription, to group: inout ThrowingTaskGroup<Wake, any Error>) {
        group.addImmediateTask {
            var cursor = subscription
            guard let batch = try await cursor.next() else { return .closed }
            return .batch(batch, cursor)
        }
    }

    /// The next look at the clock for that deadline: the clock may be set meanwhile.
    private func instant(of deadline: Timestamp) -> ContinuousClock.Instant {
        let pause = max(.zero, deadline.since(commands.clock.now()))
        return ContinuousClock.now + min(configuration.clockCheckInterval, pause)
    }

    private func execute(_ due: [SchedulerState.Due], _ state: inout SchedulerState) async {
        var rest = due[...]
        while !rest.isEmpty {
            let wave = rest.prefix(Self.parallelCommandsMax)
            rest = rest.dropFirst(Self.parallelCommandsMax)
            let refused = await withTaskGroup(of: (SchedulerState.Due, CommandError)?.self) { group in
                for item in wave {
                    group.addTask { [commands] in
                        let request = CommandRequest(workspace: item.workspace, actor: .scheduler)
                        do throws(CommandError) {
                            _ = try await commands.execute(item.command, request)
                            return nil
                        } catch {
                            return (item, error)
                        }
                    }
                }
                var refused: [(SchedulerState.Due, CommandError)] = []
                for await result in group { if let result { refused.append(result) } }
                return refused
            }
            let retryTime = commands.clock.now().adding(configuration.postponement)
            var isWriterRefusing = false
            for (item, error) in refused {
                if case .rejected(let rejection) = error {
                    logger.debug("command rejected: state changed", metadata: ["reason": "\(rejection.message)"])
                } else {
                    isWriterRefusing = true
                }
                state.giveBack(item, retryAt: retryTime)
            }
            guard isWriterRefusing else { continue }
            logger.warning(
                "writer unavailable; postponing due commands",
                metadata: ["refused": "\(refused.count)", "waiting": "\(rest.count)"])
            for item in rest { state.giveBack(item, retryAt: retryTime) }
            return
        }
    }
}
