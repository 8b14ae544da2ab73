package import CommandHandling
import Crypto
package import Domain
package import EventStore
package import Logging
package import Outbound
package import Projections

/// Tells approvers what waits for them, and that it does not wait any more.
///
/// It follows the log. What it does with a message is recorded before and after; what was on its way when the process
/// ended is sent again at the next start, under the same key.
package struct ApprovalNotifier: Sendable {
    let commands: CommandHandler
    let store: EventStore
    let projections: Projections
    let directory: ConnectorDirectory
    let links: DecisionLinks
    let messages: ApprovalMessages
    let sender: ConnectorSender
    let logger: Logger
    let queue = NotificationQueue()

    package init(
        commands: CommandHandler, store: EventStore, projections: Projections, directory: ConnectorDirectory,
        links: DecisionLinks, client: OutboundClient, logger: Logger
    ) {
        self.commands = commands
        self.store = store
        self.projections = projections
        self.directory = directory
        self.links = links
        messages = ApprovalMessages(projections: projections)
        sender = ConnectorSender(client: client)
        self.logger = logger
    }

    /// The pause after which the clock is looked at again for messages that are due.
    private static let lookInterval = Duration.milliseconds(250)
    /// Subjects that a start looks at together.
    private static let pageSubjectsMax = 256

    /// Runs until its task is cancelled or the store closed.
    ///
    /// - Parameter active: the writer's memory when it stood at `position`, before anything new was sent.
    package func run(from active: ActiveState, after position: Position) async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { await work() }
            group.addTask {
                while true {
                    try await Task.sleep(for: Self.lookInterval)
                    queue.look()
                }
            }
            defer { group.cancelAll() }
            try await projections.untilWhole { try await projections.reach(position) }
            for delivery in active.deliveries.all where delivery.stage == .inFlight { await interrupt(delivery) }
            var waiting = WaitingSubjects(active.waitingSubjects)
            try await resume(active)
            for try await batch in store.subscribe(after: position) {
                for recorded in batch {
                    waiting.take(recorded)
                    take(recorded)
                    if recorded.storesConnector { tell(of: &waiting, recorded) }
                }
            }
        }
    }

    /// Works on what is due, a limited number at a time.
    private func work() async {
        await withDiscardingTaskGroup { group in
            for await _ in queue.changes {
                while let job = queue.take(at: commands.clock.now()) {
                    group.addTask {
                        await perform(job)
                        queue.end(job)
                    }
                }
            }
            group.cancelAll()
        }
    }

    private func perform(_ job: NotificationQueue.Job) async {
        switch job.kind {
        case .ask: await notify(job)
        case .followUp: await followUp(job)
        }
    }

    /// Takes up what waited and what was to be followed up when the last process ended.
    ///
    /// Nothing is queued or read for a workspace without a connector, where the memory of an action says that approvers look
    /// for themselves.
    private func resume(_ active: ActiveState) async throws {
        let subjects = active.waitingSubjects
        for start in stride(from: 0, to: subjects.count, by: Self.pageSubjectsMax) {
            let page = subjects[start..<min(start + Self.pageSubjectsMax, subjects.count)]
            for (workspace, entries) in Dictionary(grouping: page, by: \.workspace) {
                let silence = try await silence(in: workspace)
                for entry in entries where !isSilent(entry.subject, active, silence) {
                    queue.add(.init(.ask, entry.subject, workspace))
                }
            }
        }
        var closed: Set<UUIDValue> = []
        for delivery in active.deliveries.all where delivery.isClosed {
            guard closed.insert(delivery.label.subject.key).inserted else { continue }
            queue.add(.init(.followUp, delivery.label.subject, delivery.workspace))
        }
    }

    /// The workspace's defaults when it has no connector that could be told; `nil` when it has one, or it cannot be read now.
    private func silence(in workspace: WorkspaceName) async throws -> ConnectorDefaults? {
        try await projections.untilWhole {
            guard try await directory.connectors(named: nil, in: workspace).isEmpty else { return nil }
            return try await directory.defaults(in: workspace)
        }
    }

    private func isSilent(_ subject: DeliverySubject, _ active: ActiveState, _ defaults: ConnectorDefaults?) -> Bool {
        guard let defaults, let run = subject.runID, let id = subject.actionID,
            let gate = active.runs[run]?.actions.first(where: { $0.id == id })?.gate
        else { return false }
        return gate.requirement.delivery?.fallsBackToUI ?? defaults.fallsBackToUI
    }

    private func take(_ recorded: RecordedEvent) {
        let (event, position) = (recorded.event, recorded.position)
        switch event.payload {
        case .actionBlocked(let blocked) where !blocked.isConsent:
            let subject = DeliverySubject.action(
                RunID(event.stream.id), blocked.actionID, blocked.accessRequestID)
            queue.add(.init(.ask, subject, event.workspace, at: position))
        case .accessRequested(let requested) where requested.run == nil:
            let subject = DeliverySubject.request(AccessRequestID(event.stream.id))
            queue.add(.init(.ask, subject, event.workspace, at: position))
        case .actionApproved(let approved): close(approved.actionID.value, position)
        case .actionRejected(let rejected): close(rejected.actionID.value, position)
        case .actionExpired(let expired): close(expired.actionID.value, position)
        case .actionFailed(let failed): close(failed.actionID.value, position)
        case .accessApproved, .accessRejected, .accessExpired: close(event.stream.id, position)
        default: break
        }
    }

    /// A connector was made or changed, or what holds for all of them: what nobody was told of may be told by it.
    private func tell(of waiting: inout WaitingSubjects, _ recorded: RecordedEvent) {
        let (workspace, position) = (recorded.event.workspace, recorded.position)
        for subject in waiting.open(in: workspace, isOpen: { commands.isOpen($0) })
        where commands.deliveries(about: subject).isEmpty {
            queue.add(.init(.ask, subject, workspace, at: position))
        }
    }

    private func close(_ key: UUIDValue, _ position: Position) {
        guard let known = commands.deliveries(about: key).first else { return }
        queue.add(.init(.followUp, known.label.subject, known.workspace, at: position))
    }

    /// Sends the messages about a subject that are due; what has to be sent again is queued for that time.
    private func notify(_ job: NotificationQueue.Job) async {
        let (subject, workspace) = (job.subject, job.workspace)
        do {
            try await projections.reach(job.position)
            guard commands.isOpen(subject) else { return }
            let requested = try await messages.requirement(subject, in: workspace)?.delivery
            let defaults = try await directory.defaults(in: workspace)
            let named = requested?.names(defaults.connectors) ?? defaults.connectors
            let connectors = try await directory.connectors(named: named, in: workspace)
            let mode = requested?.mode.flatMap(ConnectorDefaults.Mode.init(rawValue:)) ?? defaults.mode
            let fallsBackToUI = requested?.fallsBackToUI ?? defaults.fallsBackToUI
            guard !connectors.isEmpty || (!fallsBackToUI && named != nil) else { return }
            switch await deliver(connectors, mode, subject, workspace) {
            case .told: break
            case .waits(let time): queue.add(.init(.ask, subject, workspace, due: time))
            case .untold: if !fallsBackToUI { await giveUp(subject, workspace) }
            }
        } catch {
            if !Task.isCancelled {
                logger.error("approvers could not be told", metadata: ["error": "\(error)"])
            }
        }
    }

    private func deliver(
        _ connectors: [ApprovalConnector], _ mode: ConnectorDefaults.Mode, _ subject: DeliverySubject,
        _ workspace: WorkspaceName
    ) async -> Asked {
        let labels = connectors.map { connector in
            DeliveryLabel(
                id: Self.deliveryID(subject, connector), connector: connector.id, connectorName: connector.name,
                subject: subject)
        }
        var outcome = Asked.untold
        switch mode {
        case .firstSuccess:
            for label in labels {
                outcome = await ask(label, workspace)
                if outcome != .untold { break }
            }
        case .all:
            outcome = await withTaskGroup(of: Asked.self) { group in
                for label in labels { group.addTask { await ask(label, workspace) } }
                var all = Asked.untold
                for await one in group { all = all.joined(one) }
                return all
            }
        }
        // Need not be told any more.
        return outcome == .untold && !commands.isOpen(subject) ? .told : outcome
    }

    /// Nobody was told, and nobody is to look for themselves: waiting would be for nothing.
    private func giveUp(_ subject: DeliverySubject, _ workspace: WorkspaceName) async {
        let reason = "no approval connector could deliver the request, and its delivery has fallbackToUI false"
        let command: Command =
            switch subject {
            case .action(let run, let action, _): .rejectAction(run: run, action: action, reason: reason)
            case .request(let request): .rejectAccess(request: request, reason: reason)
            }
        await record(command, workspace)
    }

    /// The same for the same subject and connector, so that nobody is told twice.
    private static func deliveryID(_ subject: DeliverySubject, _ connector: ApprovalConnector) -> DeliveryID {
        let digest = SHA256.hash(data: Array("sluice message 1\n\(subject.key.text)\n\(connector.id)".utf8))
        guard let value = digest.withUnsafeBytes({ UUIDValue(bytes: UnsafeRawBufferPointer(rebasing: $0[..<16])) })
        else { preconditionFailure("SHA-256 has 32 bytes") }
        return DeliveryID(value)
    }
}

extension RequestedDelivery {
    /// The names of the connectors to tell, given the workspace's default; `nil` for all of them.
    fileprivate func names(_ defaults: [String]?) -> [String]? {
        guard !connectors.isEmpty else { return defaults }
        return includesDefaults ? defaults.map { connectors + $0 } : connectors
    }
}

extension RecordedEvent {
    fileprivate var storesConnector: Bool {
        if case .resourceStored(let stored) = event.payload { stored.kind == .approvalConnector } else { false }
    }
}

extension ActiveState {
    /// What somebody has to decide, and where.
    fileprivate var waitingSubjects: [(subject: DeliverySubject, workspace: WorkspaceName)] {
        let actions = runs.values.flatMap { run in
            run.actions.filter { $0.status == .blocked && !$0.isConsent }.map {
                (DeliverySubject.action(run.id, $0.id, $0.accessRequestID), run.workspace)
            }
        }
        let requests = accessRequests.values.filter { $0.isPending && $0.requested.run == nil }.map {
            (DeliverySubject.request($0.id), $0.workspace)
        }
        return (actions + requests).sorted { $0.0.key < $1.0.key }
    }
}
