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

    /// Runs until its task is cancelled or the store closed.
    ///
    /// - Parameter active: the writer's memory when it stood at `position`, before anything new was sent.
    package func run(from active: ActiveState, after position: Position) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            try await projections.untilWhole { try await projections.reach(position) }
            for delivery in active.deliveries.all where delivery.stage == .inFlight { await interrupt(delivery) }
            var waiting = WaitingSubjects(active.waitingSubjects)
            for (subject, workspace) in active.waitingSubjects {
                group.addTask { await notify(subject, workspace) }
            }
            for key in Set(active.deliveries.all.filter(\.isClosed).map(\.label.subject)) {
                group.addTask { await followUp(key) }
            }
            for try await batch in store.subscribe(after: position) {
                for recorded in batch {
                    waiting.take(recorded)
                    take(recorded, &group)
                    if recorded.storesConnector { tell(of: &waiting, recorded, &group) }
                }
            }
            group.cancelAll()
        }
    }

    private func take(_ recorded: RecordedEvent, _ group: inout ThrowingDiscardingTaskGroup<any Error>) {
        let (event, position) = (recorded.event, recorded.position)
        switch event.payload {
        case .actionBlocked(let blocked) where !blocked.isConsent:
            let subject = DeliverySubject.action(
                RunID(event.stream.id), blocked.actionID, blocked.accessRequestID)
            group.addTask { await self.notify(subject, event.workspace, at: position) }
        case .accessRequested(let requested) where requested.run == nil:
            let subject = DeliverySubject.request(AccessRequestID(event.stream.id))
            group.addTask { await self.notify(subject, event.workspace, at: position) }
        case .actionApproved(let approved): close(approved.actionID.value, position, &group)
        case .actionRejected(let rejected): close(rejected.actionID.value, position, &group)
        case .actionExpired(let expired): close(expired.actionID.value, position, &group)
        case .actionFailed(let failed): close(failed.actionID.value, position, &group)
        case .accessApproved, .accessRejected, .accessExpired: close(event.stream.id, position, &group)
        default: break
        }
    }

    /// A connector was made or changed, or what holds for all of them: what nobody was told of may be told by it.
    private func tell(
        of waiting: inout WaitingSubjects, _ recorded: RecordedEvent,
        _ group: inout ThrowingDiscardingTaskGroup<any Error>
    ) {
        let (workspace, position) = (recorded.event.workspace, recorded.position)
        for subject in waiting.open(in: workspace, isOpen: { commands.isOpen($0) })
        where commands.deliveries(about: subject).isEmpty {
            group.addTask { await self.notify(subject, workspace, at: position) }
        }
    }

    private func close(
        _ key: UUIDValue, _ position: Position, _ group: inout ThrowingDiscardingTaskGroup<any Error>
    ) {
        guard let subject = commands.deliveries(about: key).first?.label.subject else { return }
        group.addTask { await self.followUp(subject, at: position) }
    }

    /// Sends messages about a subject until that is done, or the subject is decided.
    private func notify(_ subject: DeliverySubject, _ workspace: WorkspaceName, at position: Position = .zero) async {
        do {
            try await projections.reach(position)
            let requested = try await messages.requirement(subject, in: workspace)?.delivery
            let defaults = try await directory.defaults(in: workspace)
            let named = requested?.names(defaults.connectors) ?? defaults.connectors
            let connectors = try await directory.connectors(named: named, in: workspace)
            let mode = requested?.mode.flatMap(ConnectorDefaults.Mode.init(rawValue:)) ?? defaults.mode
            let fallsBackToUI = requested?.fallsBackToUI ?? defaults.fallsBackToUI
            guard !connectors.isEmpty || (!fallsBackToUI && named != nil) else { return }
            guard await !deliver(connectors, mode, subject, workspace), !fallsBackToUI else { return }
            await giveUp(subject, workspace)
        } catch {
            if !Task.isCancelled {
                logger.error("approvers could not be told", metadata: ["error": "\(error)"])
            }
        }
    }

    /// - Returns: whether somebody is told, or need not be any more.
    private func deliver(
        _ connectors: [ApprovalConnector], _ mode: ConnectorDefaults.Mode, _ subject: DeliverySubject,
        _ workspace: WorkspaceName
    ) async -> Bool {
        let labels = connectors.map { connector in
            DeliveryLabel(
                id: Self.deliveryID(subject, connector), connector: connector.id, connectorName: connector.name,
                subject: subject)
        }
        switch mode {
        case .firstSuccess:
            for label in labels { if await ask(label, workspace) { return true } }
        case .all:
            let isTold = await withTaskGroup(of: Bool.self) { group in
                for label in labels { group.addTask { await ask(label, workspace) } }
                var isTold = false
                for await one in group where one { isTold = true }
                return isTold
            }
            if isTold { return true }
        }
        return !commands.isOpen(subject)
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
