package import CommandHandling
package import Domain
package import EventStore
package import Logging

/// Makes what was asked to be built, one after another, and records what came of it.
///
/// It holds no truth of its own: what is open at its start, begun or not, is driven on.
package actor BuildDriver {
    /// What came of making a build: what went wrong, if anything, and the end of what was said meanwhile.
    package struct Outcome: Hashable, Sendable {
        package let error: String?
        package let log: String

        package init(error: String?, log: String) {
            self.error = error
            self.log = log
        }
    }

    /// Where the work is done, which this room does not know.
    package struct Workshop: Sendable {
        /// What to build; `nil` when nobody knows of it any more.
        let document: @Sendable (BuildID, WorkspaceName) async throws -> JSONValue?
        /// Builds it; cancelled, it leaves nothing behind.
        let make: @Sendable (JSONValue) async -> Outcome

        package init(
            document: @escaping @Sendable (BuildID, WorkspaceName) async throws -> JSONValue?,
            make: @escaping @Sendable (JSONValue) async -> Outcome
        ) {
            self.document = document
            self.make = make
        }
    }

    private struct Job: Sendable {
        let id: BuildID
        let workspace: WorkspaceName
    }

    /// A build that was cut off so often is not begun again: it may be what ends the process.
    private static let attemptsMax: UInt32 = 3
    private static let textBytesMax = 16 * 1024

    private let commands: CommandHandler
    private let store: EventStore
    private let workshop: Workshop
    private let logger: Logger
    private let jobs: AsyncStream<Job>
    private let addJob: AsyncStream<Job>.Continuation
    /// Those that wait or are being made, each with what ends its making early.
    private var open: [BuildID: AsyncStream<Void>.Continuation?] = [:]

    package init(commands: CommandHandler, store: EventStore, workshop: Workshop, logger: Logger) {
        self.commands = commands
        self.store = store
        self.workshop = workshop
        self.logger = logger
        // Bounded by the number of open builds.
        (jobs, addJob) = AsyncStream.makeStream()
    }

    /// Runs until its task is cancelled.
    ///
    /// - Parameter active: the writer's memory when it stood at `position`.
    package func run(from active: ActiveState, after position: Position) async throws {
        for build in active.builds.values.sorted(by: { $0.id < $1.id }) { add(build.id, build.workspace) }
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await self.follow(after: position) }
            for await job in jobs { await drive(job) }
            group.cancelAll()
        }
    }

    private func follow(after position: Position) async throws {
        for try await batch in store.subscribe(after: position) {
            for recorded in batch where recorded.event.stream.kind == .build {
                let id = BuildID(recorded.event.stream.id)
                if case .buildRequested = recorded.event.payload {
                    add(id, recorded.event.workspace)
                } else if case .buildFinished = recorded.event.payload, let stop = open.removeValue(forKey: id) {
                    stop?.finish()
                }
            }
        }
    }

    private func add(_ id: BuildID, _ workspace: WorkspaceName) {
        open[id] = .some(nil)
        addJob.yield(Job(id: id, workspace: workspace))
    }

    private func drive(_ job: Job) async {
        // It may have been cancelled while it waited.
        guard open[job.id] != nil, let attempt = await start(job) else { return }
        guard attempt <= Self.attemptsMax else {
            return await finish(job, Outcome(error: "it was cut off \(Self.attemptsMax) times", log: ""))
        }
        let (stops, stop) = AsyncStream.makeStream(of: Void.self)
        guard open[job.id] != nil else { return }
        open[job.id] = stop
        let outcome = await withTaskGroup(of: Outcome?.self) { group in
            group.addTask { await self.make(job) }
            group.addTask {
                for await _ in stops {}
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        // Cancelled, it is finished already; at the daemon's end it is open, and the next one makes it.
        if let outcome, !Task.isCancelled { await finish(job, outcome) }
    }

    private func make(_ job: Job) async -> Outcome {
        do {
            guard let document = try await workshop.document(job.id, job.workspace) else {
                return Outcome(error: "what to build is not known any more", log: "")
            }
            return await workshop.make(document)
        } catch {
            return Outcome(error: "what to build cannot be read: \(error)", log: "")
        }
    }

    /// The number of the attempt that begins now; `nil` when the build is not open any more.
    private func start(_ job: Job) async -> UInt32? {
        let receipt = await execute(.startBuild(job.id), job)
        guard case .buildStarted(let started)? = receipt?.events.first?.event.payload else { return nil }
        return started.attempt
    }

    private func finish(_ job: Job, _ outcome: Outcome) async {
        func end(_ text: String) -> String { String(decoding: text.utf8.suffix(Self.textBytesMax), as: UTF8.self) }
        let finished = BuildFinished(error: outcome.error.map(end), log: end(outcome.log))
        _ = await execute(.finishBuild(job.id, finished), job)
        logger.info("a build has ended", metadata: ["build": "\(job.id)", "succeeded": "\(outcome.error == nil)"])
    }

    private func execute(_ command: Command, _ job: Job) async -> Receipt? {
        while !Task.isCancelled {
            do throws(CommandError) {
                return try await commands.execute(
                    command, CommandRequest(workspace: job.workspace, actor: .executor))
            } catch {
                switch error {
                // Somebody has cancelled it, or the daemon stops.
                case .rejected, .stopped, .idempotencyMismatch: return nil
                case .overloaded, .readOnly:
                    do { try await Task.sleep(for: .seconds(1)) } catch { return nil }
                }
            }
        }
        return nil
    }
}
