package import CommandHandling
package import Domain
package import EventStore
package import Logging

/// Makes what was asked to be built, one after another, and records what came of it.
///
/// It holds no truth of its own: what is open at its start, begun or not, is driven on.
package actor BuildDriver {
    /// What to build, and what the image of it is to be called.
    package struct Order: Sendable {
        package let document: JSONValue
        package let image: String

        package init(document: JSONValue, image: String) {
            self.document = document
            self.image = image
        }
    }

    /// Where the work is done, which this room does not know.
    package struct Workshop: Sendable {
        /// What to build; `nil` when nobody knows of it any more.
        let order: @Sendable (BuildID, WorkspaceName) async throws -> Order?
        /// Builds it; cancelled, it leaves nothing behind.
        let make: @Sendable (Order) async -> BuildFinished

        package init(
            order: @escaping @Sendable (BuildID, WorkspaceName) async throws -> Order?,
            make: @escaping @Sendable (Order) async -> BuildFinished
        ) {
            self.order = order
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
        for try await batch in store.subscribe(after: position, waitingFor: { $0.stream.kind == .build }) {
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
            return await finish(job, BuildFinished(error: "it was cut off \(Self.attemptsMax) times", log: ""))
        }
        let (stops, stop) = AsyncStream.makeStream(of: Void.self)
        guard open[job.id] != nil else { return }
        open[job.id] = stop
        let outcome = await withTaskGroup(of: BuildFinished?.self) { group in
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

    private func make(_ job: Job) async -> BuildFinished {
        do {
            guard let order = try await workshop.order(job.id, job.workspace) else {
                return BuildFinished(error: "what to build is not known any more", log: "")
            }
            return await workshop.make(order)
        } catch {
            return BuildFinished(error: "what to build cannot be read: \(error)", log: "")
        }
    }

    /// The number of the attempt that begins now; `nil` when the build is not open any more.
    private func start(_ job: Job) async -> UInt32? {
        let receipt = await execute(.startBuild(job.id), job)
        guard case .buildStarted(let started)? = receipt?.events.first?.event.payload else { return nil }
        return started.attempt
    }

    private func finish(_ job: Job, _ outcome: BuildFinished) async {
        func end(_ text: String) -> String { String(decoding: text.utf8.suffix(Self.textBytesMax), as: UTF8.self) }
        let finished = BuildFinished(
            error: outcome.error.map(end), log: end(outcome.log), imageID: outcome.imageID,
            imageError: outcome.imageError.map(end))
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
