import Audit
import CommandHandling
package import Dispatch
import Domain
import EventLog
import EventStore
import EventStreaming
import Execution
import Gateways
import HTTPAPI
import Hummingbird
import Ingestion
import Logging
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
    private let flush: @Sendable (DispatchTime) -> Void
    private let reloading: Reloading
    private let manager = ServiceManager()

    /// - Parameters:
    ///   - announce: shows a line to the operator: the address, and a first key once.
    ///   - flush: writes out the last lines of the log and of `announce`; it returns at the deadline, whatever becomes of them.
    ///   - reload: reads the settings again.
    package init(
        _ configuration: DaemonConfiguration, metrics: PrometheusRegistry, log: DaemonLog,
        announce: @escaping @Sendable (String) -> Void, flush: @escaping @Sendable (DispatchTime) -> Void,
        reload: @escaping @Sendable () async throws -> Reload
    ) {
        self.configuration = configuration
        self.metrics = metrics
        logger = log.logger
        self.announce = announce
        self.flush = flush
        reloading = Reloading(logger: logger, read: reload) { log.setLevel($0) }
    }

    /// Runs until SIGTERM, SIGINT or SIGQUIT, then drains and closes in order.
    ///
    /// The lock comes first: a second daemon of the directory answers no request. Then the address is bound, and everything else
    /// is done while it is served. (docs/decisions/0065)
    package func run() async throws {
        let directory = DataDirectory(configuration.dataDirectory)
        try directory.create()
        let lock = try DirectoryLock(directory)
        try directory.checkRestored()
        let progress = StartProgress()
        let server = HTTPAPIServer(configuration.http, progress, logger: logger)
        let listening = Listening()
        let deadline = StartDeadline(progress: progress, flush: flush)
        let rooms = RoomsService(progress) { try await runRooms(directory, server, progress, listening) }
        // Shut down from the last to the first.
        let services: [any Service] = [
            LoopService("start reporter") {
                try await StartReporter(progress: progress, manager: manager, logger: logger).run()
                try await gracefulShutdown()
            },
            LoopService("signals") { await SignalService(logger: logger) { await reloading.run() }.run() },
            rooms,
            DrainingService(drainTimeout: configuration.drainTimeout) {
                try await withGracefulShutdownHandler {
                    try await listen(server, listening)
                } onGracefulShutdown: {
                    manager?.notify("STOPPING=1")
                    deadline.arm()
                }
            },
        ]
        try await ServiceGroup(of: services, signals: [.sigterm, .sigint, .sigquit], logger: logger).run()
        try rooms.check()
        withExtendedLifetime(lock) {}
    }

    private func listen(_ server: HTTPAPIServer, _ listening: Listening) async throws {
        do {
            try await server.run { port in
                logger.info("listening", metadata: ["address": "\(address(port))"])
                listening.begin(port: port)
            }
        } catch let error as ListenerError {
            throw failure(error)
        }
    }

    private func failure(_ error: ListenerError) -> DaemonError {
        switch error {
        case .unusable(.api, let cause):
            return DaemonError(.addressUnusable, "cannot listen on \(address(nil)): \(cause); choose another --listen")
        case .unusable(.gate, let cause):
            let path = RuntimeDirectory.gateSocket(in: DataDirectory(configuration.dataDirectory).runtime)
            return DaemonError(
                .directoryUnusable,
                "cannot listen for agents on \(path): \(cause); remove what is there, or choose another --data-dir")
        case .ended(let listener):
            return DaemonError(
                .serviceEnded, "stopped listening for \(listener.rawValue) unexpectedly; the log lines before say why")
        }
    }

    /// The address that is listened on, as a URL has it.
    private func address(_ port: Int?) -> String {
        let http = configuration.http
        let host = http.host.contains(":") ? "[\(http.host)]" : http.host
        return "\(host):\(port ?? http.port)"
    }

    /// Opens the rooms and runs them until a graceful shutdown.
    private func runRooms(
        _ directory: DataDirectory, _ server: HTTPAPIServer, _ progress: StartProgress, _ listening: Listening
    ) async throws {
        let (rooms, port) = try await cancelWhenGracefulShutdown {
            let port = try await listening.port()
            return (try await openRooms(directory, progress), port)
        }
        let client = OutboundClient(rule: configuration.addresses)
        do {
            let audit = try makeAudit(
                FileLogBackend(rooms.log), rooms.vault, rooms.frontier, client, directory,
                now: { rooms.commands.clock.now() })
            try await serve(rooms, client, audit, directory, server, port)
        } catch {
            try await client.shutdown()
            throw error
        }
        try await client.shutdown()
        await rooms.close(logger)
    }

    private func serve(
        _ rooms: OpenedRooms, _ client: OutboundClient, _ audit: AuditServices, _ directory: DataDirectory,
        _ server: HTTPAPIServer, _ port: Int?
    ) async throws {
        let (log, store, commands, vault, lost) = (rooms.log, rooms.store, rooms.commands, rooms.vault, rooms.lost)
        let readModels = rooms.readModels
        let projections = readModels.projections
        let clockWatch = ClockWatch(clock: rooms.clock, commands: commands, mark: ClockMark(directory), logger: logger)
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
        let responses = StoredResponses { ContinuousClock.now }
        let erasures = ErasureService(
            commands: commands, store: store, projections: projections, history: history, vault: vault,
            responses: responses, logger: logger)
        try await erasures.look(at: active)
        let endpoint = HTTPTokenEndpoint(client: client)
        let credentials = CredentialStore(
            projections: projections, vault: vault, endpoint: endpoint, clock: commands.clock)
        let identities = IdentityGateway(
            projections: projections, client: client, now: { commands.clock.wallTime() }, logger: logger)
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
            configuration: configuration.llm, responses: responses, inFlight: inFlight,
            now: { commands.clock.now() }, logger: logger)
        let approvals = ApprovalServices(
            commands, store, projections, vault, client, publicURL: configuration.publicURL, logger)
        let misuse = KeyMisuseReporter(commands: commands, projections: projections, logger: logger)
        let security = SecurityNotifier(
            commands: commands, store: store, projections: projections, directory: approvals.directory,
            client: client, misuse: misuse, mark: .kept(in: directory, logger), logger: logger)
        let keyUses = await KeyUseKeeper.open(directory, keys: active.apiKeys.keys, logger)
        let access = AccessWatch(commands.clock)
        let services = [
            LoopService("writer") {
                // Whoever is answered looks for itself whether it came to that, and says why not.
                await commands.run { try? await projections.reach($0) }
            },
            LoopService("watchdog") {
                if let manager { try await Watchdog(manager: manager, commands: commands).run() }
                try await gracefulShutdown()
            },
            LoopService("append stall watch") {
                try await StallWatch(store: store, timeout: configuration.http.appendStallTimeout, logger: logger)
                    .run()
            },
            LoopService("admin key reload") {
                for await key in reloading.adminKeys { await takeOver(key, commands) }
            },
            LoopService("read models") { try await projections.follow(store) },
            LoopService("access watch") { await access.run() },
            LoopService("clock watch") { try await clockWatch.run() },
            LoopService("key uses") { await keyUses.run() },
            LoopService("unrecorded calls") { await egress.recordUnrecorded() },
            LoopService("calls in flight") {
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
            LoopService("past read models") { await history.run() },
            LoopService("read model keeper") {
                try await ReadModelKeeper(readModels, store: store, history: history, logger: logger).run()
            },
            LoopService("key destruction") { try await keyDestruction.run(store, after: position) },
            LoopService("memory") {
                try await MemoryTrimmer(interval: configuration.memoryTrimInterval, logger: logger).run()
            },
            LoopService("keyring watch") { await KeyringWatch(vault, configuration.decisions.limits, logger).run() },
            LoopService("erasures") { try await erasures.run(from: active, after: position) },
            LoopService("log check") { try await check(log) },
            LoopService("checkpoints") {
                await audit.keeper.run { try await Task.sleep(for: configuration.audit.interval) }
            },
            LoopService("payload retention") {
                await PayloadRetention(
                    vault: vault, clock: commands.clock, retention: configuration.payloadRetention, logger: logger
                ).run()
            },
            LoopService("run retention") {
                try await RunRetention(
                    log: log, commands: commands, projections: projections, history: history,
                    retention: configuration.runRetention, logger: logger
                ).run()
            },
            LoopService("scheduler") { try await scheduler.run(from: active, after: position) },
            LoopService("approval notifications") { try await approvals.notifier.run(from: active, after: position) },
            LoopService("security notifications") { try await security.run(after: position) },
            LoopService("agents") { try await agents.run(from: active, after: position) },
            LoopService("executor") { try await executor.run(from: active, after: position) },
            LoopService("builds") { try await builds.run(from: active, after: position) },
            LoopService("API") {
                if let lost {
                    try await KeyLossRecord(lost: lost, commands: commands, directory: directory, logger: logger)
                        .record(active, forget: history)
                }
                try directory.leaveEarlierPoint()
                try await egress.recordInterrupted(active)
                try await open(
                    server, port, store, commands, projections, vault, client, egress, consents, models, identities,
                    approvals, audit, misuse, tokens, agents, history, access, clockWatch, keyUses.uses)
                try await gracefulShutdown()
            },
        ]
        try await RoomServices(services, logger: logger).run()
    }

    /// Makes an admin key that was configured since the start, and revokes the one before.
    private func takeOver(_ key: String, _ commands: CommandHandler) async {
        do {
            _ = try await AdminKey.ensure(key, commands, logger)
        } catch {
            logger.error("admin key not reloaded", metadata: ["error": "\(error)"])
        }
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

    /// Has the server answer by the API, once reads show everything that the log has.
    private func open(
        _ server: HTTPAPIServer, _ port: Int?, _ store: EventStore, _ commands: CommandHandler,
        _ projections: Projections, _ vault: SecretVault, _ client: OutboundClient, _ egress: EgressGateway,
        _ consents: Consents, _ models: LLMGateway, _ identities: IdentityGateway, _ approvals: ApprovalServices,
        _ audit: AuditServices,
        _ misuse: KeyMisuseReporter,
        _ tokens: AgentTokens, _ agents: AgentProcesses, _ history: PastReadModels, _ access: AccessWatch,
        _ clockWatch: ClockWatch, _ keyUses: KeyUses
    ) async throws {
        if let key = try await AdminKey.ensure(configuration.adminKey, commands, logger) {
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
            keyUses: keyUses, clock: clockWatch.control,
            metrics: {
                await metricsText(store, projections) + KeyringGauges(vault, configuration.decisions.limits).text
            })
        let isOpen = server.open(
            dependencies, gateSocket: agents.gateAddress, onGateRunning: { agents.gateIsOpen() })
        guard isOpen else { return }
        announce("Sluice \(SluiceVersion.text) listens on http://\(address(port))")
        manager?.notify("READY=1", "STATUS=serving")
    }

    static func openLog(
        _ directory: DataDirectory, _ configuration: EventLog.Configuration, _ logger: Logger,
        progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
    ) throws(DaemonError) -> (EventLog, LogRecovery.Report) {
        do {
            return try EventLog.open(
                try PosixLogStorage(directory: directory.log), configuration: configuration,
                signed: try AuditFiles(directory.audit).signedSize(), logger: logger, progress: progress)
        } catch let error as LogError {
            throw DaemonError(.logUnusable, error.description)
        } catch {
            throw DaemonError(.directoryUnusable, "\(error)")
        }
    }

    private func metricsText(
        _ store: EventStore, _ projections: Projections
    ) async -> String {
        var text = metrics.text()
        text += "# TYPE sluice_log_position gauge\nsluice_log_position \(store.durablePosition)\n"
        let stall = store.appendDuration.map { $0 > configuration.http.appendStallTimeout ? $0 : .zero } ?? .zero
        text += "# TYPE sluice_log_stalled_seconds gauge\nsluice_log_stalled_seconds \(stall.components.seconds)\n"
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
