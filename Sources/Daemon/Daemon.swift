import Audit
import CommandHandling
import Domain
import EventLog
import EventStore
import EventStreaming
import Execution
import Gateways
import HTTPAPI
import Hummingbird
import Ingestion
package import Logging
import NIOCore
import Outbound
import Projections
import Scheduling
import Secrets
import ServiceLifecycle
import UnixSignals

/// Puts the rooms together and runs them until a signal ends them.
package struct Daemon: Sendable {
    let configuration: DaemonConfiguration
    private let metrics: PrometheusRegistry
    let logger: Logger
    private let announce: @Sendable (String) -> Void

    /// - Parameter announce: shows a line to the operator: the address, and a first key once.
    package init(
        _ configuration: DaemonConfiguration, metrics: PrometheusRegistry, logger: Logger,
        announce: @escaping @Sendable (String) -> Void
    ) {
        self.configuration = configuration
        self.metrics = metrics
        self.logger = logger
        self.announce = announce
    }

    /// Runs until SIGTERM or SIGINT, then drains and closes in order.
    package func run() async throws {
        let directory = DataDirectory(configuration.dataDirectory)
        try directory.create()
        let lock = try DirectoryLock(directory)
        try directory.checkRestored()
        let (log, recovered) = try Self.openLog(directory, configuration.log, logger)
        let vault = try await configuration.secrets.openVault(
            directory, isFirstStart: log.durablePosition == 0, acceptsLoss: configuration.acceptsKeyLoss, logger)
        let backend = FileLogBackend(log)
        let closed = ClosedSeals()
        let store = await EventStore(
            backend: backend, cipher: PersonKeys(vault: vault, closed: closed),
            snapshots: Self.openSnapshots(directory, logger))
        let (commands, lost) = try await openWriter(store, vault, closed)
        if let lost { try giveUp(lost, directory) }
        let readModels = try ReadModels.open(directory, store, logger)
        let client = OutboundClient(rule: configuration.addresses)
        do {
            let audit = try makeAudit(
                backend, vault, recovered.frontier, client, directory, now: { commands.clock.now() })
            try await serve(log, store, commands, readModels, vault, client, audit, directory, lost)
        } catch {
            try await client.shutdown()
            throw error
        }
        try await client.shutdown()
        do {
            try await store.close()
        } catch {
            // Everything acknowledged is durable all the same; the next start only looks more closely at the log's end.
            logger.warning("the log could not be marked as closed in order", metadata: ["error": "\(error)"])
        }
        readModels.close(logger)
        withExtendedLifetime(lock) {}
        logger.info("stopped", metadata: ["position": "\(store.durablePosition)"])
    }

    private func serve(
        _ log: EventLog, _ store: EventStore, _ commands: CommandHandler, _ readModels: ReadModels,
        _ vault: SecretVault, _ client: OutboundClient, _ audit: AuditServices, _ directory: DataDirectory,
        _ lost: LostKeys?
    ) async throws {
        let projections = readModels.projections
        let (agents, tokens) = try await makeAgents(store, commands, projections, vault, client, directory)
        let builds = makeBuilds(store, commands, projections, agents)
        let scheduler = Scheduler(
            commands: commands, store: store, configuration: configuration.scheduler, logger: logger)
        let executor = Executor(
            commands: commands, store: store,
            driver: SchemeDriver(
                processes: ProcessDriver(agents, client: client, configuration: configuration.executor),
                remote: RemoteHTTPDriver(client: client, configuration: configuration.executor)),
            created: { id in
                try await projections.untilWhole {
                    try await projections.created(id, recordedBy: store.durablePosition)
                }
            },
            configuration: configuration.executor, logger: logger)
        // Taken before anything runs: what is in flight here was in flight when the last process ended.
        let (active, position) = try await commands.snapshot()
        let keyDestruction = KeyDestruction(
            vault: vault, visible: { try? await projections.reach($0) }, logger: logger)
        try await keyDestruction.look(at: active)
        let history = PastReadModels(
            store: store, live: projections, directory: directory.pastReadModels, configuration: configuration.history,
            logger: logger)
        let erasures = ErasureService(
            commands: commands, store: store, projections: projections, history: history, vault: vault, logger: logger)
        try await erasures.look(at: active)
        let endpoint = HTTPTokenEndpoint(client: client)
        let credentials = CredentialStore(
            projections: projections, vault: vault, endpoint: endpoint, now: { commands.clock.now() })
        let identities = IdentityGateway(
            projections: projections, client: client, now: { commands.clock.now() }, logger: logger)
        let consents = Consents(
            commands: commands, projections: projections, vault: vault, credentials: credentials, endpoint: endpoint,
            identities: identities, publicURL: configuration.publicURL)
        commands.redactConsentLinks(with: consents.redaction)
        let inFlight = CallsInFlight()
        let egress = EgressGateway(
            commands: commands, projections: projections, vault: vault, credentials: credentials, consents: consents,
            client: client, configuration: configuration.egress, inFlight: inFlight, logger: logger)
        let models = LLMGateway(
            projections: projections,
            meter: ModelMeter(commands: commands, projections: projections, logger: logger), vault: vault,
            credentials: credentials, client: client,
            configuration: configuration.llm, inFlight: inFlight, now: { commands.clock.now() }, logger: logger)
        let approvals = ApprovalServices(
            commands, store, projections, vault, client, publicURL: configuration.publicURL, logger)
        let misuse = KeyMisuseReporter(commands: commands, projections: projections, logger: logger)
        let security = SecurityNotifier(
            commands: commands, store: store, projections: projections, directory: approvals.directory,
            client: client, misuse: misuse, mark: .kept(in: directory, logger), logger: logger)
        let access = AccessWatch(now: { commands.clock.now() })
        let services: [any Service] = [
            LoopService {
                // Whoever is answered looks for itself whether it came to that, and says why not.
                await commands.run { try? await projections.reach($0) }
            },
            LoopService { try await projections.follow(store) },
            LoopService { await access.run() },
            LoopService { await egress.recordUnrecorded() },
            LoopService {
                for try await batch in store.subscribe(after: position) {
                    for recorded in batch {
                        inFlight.observe(recorded.event)
                        egress.observe(recorded.event)
                    }
                    // An ended access is looked up in the read models. When they stop, so does the daemon.
                    if let last = batch.last { try? await projections.reach(last.position) }
                    for recorded in batch { access.observe(recorded.event) }
                }
            },
            LoopService { await history.run() },
            LoopService {
                try await ReadModelKeeper(readModels, store: store, history: history, logger: logger).run()
            },
            LoopService { try await keyDestruction.run(store, after: position) },
            LoopService { try await erasures.run(from: active, after: position) },
            LoopService { try await check(log) },
            LoopService {
                await audit.keeper.run { try await Task.sleep(for: configuration.audit.interval) }
            },
            LoopService {
                await PayloadRetention(
                    vault: vault, clock: commands.clock, retention: configuration.payloadRetention, logger: logger
                ).run()
            },
            LoopService {
                try await RunRetention(
                    log: log, commands: commands, projections: projections, history: history,
                    retention: configuration.runRetention, logger: logger
                ).run()
            },
            LoopService { try await scheduler.run(from: active, after: position) },
            LoopService { try await approvals.notifier.run(from: active, after: position) },
            LoopService { try await security.run(after: position) },
            LoopService { try await agents.run(from: active, after: position) },
            LoopService { try await executor.run(from: active, after: position) },
            LoopService { try await builds.run(from: active, after: position) },
            DrainingService(drainTimeout: configuration.drainTimeout) {
                if let lost {
                    try await KeyLossRecord(lost: lost, commands: commands, directory: directory, logger: logger)
                        .record(active, forget: history)
                }
                try directory.leaveEarlierPoint()
                try await egress.recordInterrupted(active)
                try await serveHTTP(
                    store, commands, projections, vault, client, egress, consents, models, identities, approvals,
                    audit, misuse, tokens, agents, history, access)
            },
        ]
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map {
                    .init(
                        service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .cancelGroup)
                }, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
    }

    /// A start that begins with a snapshot has not read what is older: that is looked at now. Damage ends the daemon
    /// as it would have ended the start.
    private func check(_ log: EventLog) async throws {
        do {
            try await log.checkSealed()
            logger.info("sealed segments verified")
        } catch let error as LogError {
            throw DaemonError(.logUnusable, error.description)
        }
        try await gracefulShutdown()
    }

    private func serveHTTP(
        _ store: EventStore, _ commands: CommandHandler, _ projections: Projections, _ vault: SecretVault,
        _ client: OutboundClient, _ egress: EgressGateway, _ consents: Consents, _ models: LLMGateway,
        _ identities: IdentityGateway, _ approvals: ApprovalServices, _ audit: AuditServices,
        _ misuse: KeyMisuseReporter,
        _ tokens: AgentTokens, _ agents: AgentProcesses, _ history: PastReadModels, _ access: AccessWatch
    ) async throws {
        if let key = try await AdminKey.ensure(configuration.adminKey, commands) {
            announce("The first admin key, shown this once:\n\n    \(key)\n")
        }
        try await projections.untilWhole { try await projections.reach(store.durablePosition) }
        let streamer = EventStreamer(
            store: store, visible: { try await projections.reach($0) },
            findRun: { id, workspace in
                try await projections.run(id, in: workspace).map { run in
                    FollowedRun(agentID: run.agentID, isFinished: run.status.isFinished)
                }
            }, heartbeat: configuration.heartbeat)
        let dependencies = HTTPAPIDependencies(
            commands: commands, projections: projections, history: history,
            backtester: PolicyBacktester(store: store, projections: projections), streamer: streamer, vault: vault,
            client: client, egress: egress, consents: consents, models: models, identities: identities,
            connectorTest: approvals.test, decisionLinks: approvals.links, audit: audit,
            analyzer: makeAnalyzer(agents),
            agentOfToken: { token in
                tokens.agent(of: token).map { AgentIdentity(workspace: $0.workspace, name: $0.name) }
            },
            invokesOfToken: { token in
                AgentInvokes(
                    open: tokens.invokes(of: token).map { AgentInvoke(run: $0.run, requestID: $0.requestID) },
                    hasAbandoned: tokens.hasAbandonedInvokes(token), isStarting: tokens.isStarting(token))
            }, agentRecords: AgentRecords(agents), access: access, keyMisuse: misuse,
            metrics: { [metrics] in await Self.metricsText(metrics, store, projections) })
        let host = configuration.http.host.contains(":") ? "[\(configuration.http.host)]" : configuration.http.host
        var http = configuration.http
        http.gateSocket = agents.gateAddress
        do {
            try await HTTPAPIServer.run(dependencies, http, logger: logger, onGateRunning: { agents.gateIsOpen() }) {
                port in
                announce("Sluice \(SluiceVersion.text) listens on http://\(host):\(port ?? configuration.http.port)")
            }
        } catch let error as IOError {
            throw DaemonError(
                .addressUnusable,
                "cannot listen on \(host):\(configuration.http.port): \(error); choose another --listen")
        }
    }

    static func openLog(
        _ directory: DataDirectory, _ configuration: EventLog.Configuration, _ logger: Logger
    ) throws(DaemonError) -> (EventLog, LogRecovery.Report) {
        do {
            return try EventLog.open(
                try PosixLogStorage(directory: directory.log), configuration: configuration, logger: logger)
        } catch let error as LogError {
            throw DaemonError(.logUnusable, error.description)
        } catch {
            throw DaemonError(.directoryUnusable, "\(error)")
        }
    }

    /// Where snapshots are kept; nowhere, when that directory cannot be used: they only save time.
    private static func openSnapshots(_ directory: DataDirectory, _ logger: Logger) -> SnapshotKeeper? {
        do {
            return SnapshotKeeper(try PosixLogStorage(directory: directory.snapshots))
        } catch {
            logger.warning("no snapshots are kept; the next start takes longer", metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// Folds the log, and holds the keys that it needs against those that are there.
    ///
    /// - Returns: the writer, and the keys that are lost, if there are any.
    private func openWriter(
        _ store: EventStore, _ vault: SecretVault, _ closed: ClosedSeals
    ) async throws -> (CommandHandler, LostKeys?) {
        var required = RequiredKeys(vault.presentKeys)
        let commands: CommandHandler
        do {
            commands = try await CommandHandler.open(
                store: store, settings: configuration.decisions, logger: logger, keyring: { vault.keyringMark }
            ) { recorded in required.evolve(recorded.event, closedFor: closed.take(recorded.event.id)) }
        } catch let error as CommandError {
            guard case .stopped(let reason) = error else { throw DaemonError(.logUnusable, "\(error)") }
            throw DaemonError(.logUnusable, reason)
        }
        closed.end()
        let lost = required.lost(try await commands.snapshot().state)
        // A keyring that was put back from a backup may have keys again that were destroyed since.
        for person in required.erased { try await vault.destroy(person) }
        return (commands, lost.isEmpty ? nil : lost)
    }

    /// Continues without lost keys when that is accepted; read models that were made with them are made again.
    ///
    /// A log that was restored to an earlier point needs keys that were destroyed on purpose since.
    ///
    /// - Throws: `DaemonError.secretsUnusable` when it is not.
    private func giveUp(_ lost: LostKeys, _ directory: DataDirectory) throws(DaemonError) {
        guard configuration.acceptsKeyLoss || directory.isAtEarlierPoint else { throw lost.refusal(directory) }
        do throws(ProjectionError) {
            try Projections.delete(path: directory.readModel)
        } catch {
            throw DaemonError(error)
        }
    }

    private static func metricsText(
        _ metrics: PrometheusRegistry, _ store: EventStore, _ projections: Projections
    ) async -> String {
        var text = metrics.text()
        text += "# TYPE sluice_log_position gauge\nsluice_log_position \(store.durablePosition)\n"
        text += "# TYPE sluice_projection_position gauge\nsluice_projection_position \(projections.position)\n"
        if let counts = try? await projections.counts() {
            text += "# TYPE sluice_runs gauge\n"
            for status in RunStatus.allCases {
                text += "sluice_runs{status=\"\(status.rawValue)\"} \(counts.runs[status] ?? 0)\n"
            }
            text += "# TYPE sluice_actions gauge\n"
            for status in ActionStatus.allCases {
                text += "sluice_actions{status=\"\(status.rawValue)\"} \(counts.actions[status] ?? 0)\n"
            }
            text += "# TYPE sluice_access_requests gauge\n"
            for status in AccessRequestStatus.allCases {
                text += "sluice_access_requests{status=\"\(status.rawValue)\"} \(counts.accessRequests[status] ?? 0)\n"
            }
        }
        return text
    }
}
