package import CommandHandling
package import Domain
package import EventStore
package import Logging
package import Outbound

/// The agents that Sluice runs itself: started when a call needs them, kept warm, replaced and stopped.
///
/// The rules are `AgentLifecycle`'s; this actor performs what they say.
package actor AgentProcesses {
    package typealias Name = AgentTokens.Agent

    /// What is known of an agent while the daemon runs.
    struct Slot {
        /// The version that gets the calls.
        var version: AgentVersion
        /// True when it has imported its code and passed its health check.
        var hasServed: Bool
        /// The newest revision: a later one than the version's until that is started.
        var newestRevision: UInt64
        /// The instance of the newest revision while an earlier one serves.
        var trial: AgentLifecycle.InstanceNumber?
        var lifecycle: AgentLifecycle
        var instances: [AgentLifecycle.InstanceNumber: AgentInstance] = [:]
        let output: AgentOutput
        /// The last status of each revision from the version's on.
        var reported: [UInt64: Status] = [:]

        var agentID: ResourceID { version.agent.id }
    }

    struct Status: Hashable, Sendable {
        let phase: String
        let message: String?
    }

    enum Job: Sendable {
        /// Builds what was deployed and tries whether it starts.
        case prepare(Name, isDeploy: Bool)
        case run(Name, AgentInstance, after: Duration)
        case drain(AgentInstance)
    }

    let configuration: AgentsConfiguration
    let commands: CommandHandler
    let store: EventStore
    let catalog: AgentCatalog
    let tokens: AgentTokens
    let client: OutboundClient
    let directory: RuntimeDirectory
    let sandbox: SandboxChoice
    let groups: ControlGroupChoice
    let containers: ContainerChoice
    let imageBuilders: ImageBuilderChoice
    package let bundles: BundleStore
    /// For programs of Sluice's own that read what clients send.
    package nonisolated let python: IsolatedPython
    let logger: Logger
    var slots: [Name: Slot] = [:]
    var outputs: [ResourceID: AgentOutput] = [:]
    private let start = ContinuousClock.now
    private let jobs: AsyncStream<Job>
    private let addJob: AsyncStream<Job>.Continuation
    let gateOpening = Promise<Void>()
    /// What is left of the last process is removed.
    let cleaning = Promise<Void>()
    private var socketCount = 0

    package init(
        _ configuration: AgentsConfiguration, commands: CommandHandler, store: EventStore, catalog: AgentCatalog,
        tokens: AgentTokens, client: OutboundClient, directory: RuntimeDirectory, logger: Logger
    ) {
        self.configuration = configuration
        self.commands = commands
        self.store = store
        self.catalog = catalog
        self.tokens = tokens
        self.client = client
        self.directory = directory
        self.logger = logger
        sandbox = SandboxChoice(configuration.sandbox, logger: logger)
        groups = ControlGroupChoice(logger: logger)
        containers = ContainerChoice(
            configuration.containerEngine, configuration.containerArguments, logger: logger)
        imageBuilders = ImageBuilderChoice(configuration, containers, logger: logger)
        bundles = BundleStore(configuration, sandbox, groups, directory, client, logger: logger)
        python = IsolatedPython(bundles, sandbox)
        // Bounded by what it is about: an agent has a few jobs, and both agents and instances are limited.
        (jobs, addJob) = AsyncStream.makeStream()
    }

    /// Whether agents can be run here: whoever requires a sandbox is told at the start.
    package func check() async throws(AgentRefusal) {
        if configuration.sandbox == .none {
            logger.warning("agents run without a sandbox, with the daemon's own rights")
        } else if configuration.sandbox == .required {
            _ = try await sandbox.current()
        }
        // Before any process is started: a group with processes in it cannot be divided.
        if configuration.sandbox != .none { _ = await groups.refusal() }
    }

    /// Runs until its task is cancelled; then every process is killed.
    ///
    /// - Parameters:
    ///   - active: the writer's memory when it stood at `position`: what was deployed before.
    package func run(from active: ActiveState, after position: Position) async throws {
        do { try await bundles.open() } catch {
            logger.error("agents cannot be built", metadata: ["error": "\(error)"])
        }
        let deployed = active.resources.keys.filter { $0.kind == .agent }
        await collect(of: deployed)
        cleaning.fulfill(())
        for key in deployed {
            addJob.yield(.prepare(Name(workspace: key.workspace, name: key.name), isDeploy: false))
        }
        let places = AsyncPlaces(count: 2)
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await self.follow(after: position) }
            group.addTask { try await self.watch() }
            for await job in jobs {
                group.addTask { await self.perform(job, places) }
            }
            group.cancelAll()
        }
    }

    /// Removes what no agent needs. When one of them cannot be looked up, everything stays.
    private func collect(of deployed: [ResourceKey]) async {
        var definitions: [AgentDefinition] = []
        for key in deployed {
            guard let agent = try? await catalog.agent(Name(workspace: key.workspace, name: key.name)),
                let serving = try? await serving(agent)
            else { return }
            // What cannot be read cannot be built either.
            definitions += [agent, serving].compactMap { try? AgentDefinition(document: $0.document) }
        }
        guard let built = try? await catalog.builds() else { return }
        definitions += built.compactMap { try? AgentDefinition(document: $0) }
        await bundles.collect(keeping: definitions)
    }

    /// Whether images are run here.
    package func runsImages() async -> Bool { (try? await containers.current()) != nil }

    private func perform(_ job: Job, _ places: AsyncPlaces) async {
        switch job {
        case .prepare(let name, let isDeploy):
            guard await places.take() else { return }
            await prepare(name, isDeploy: isDeploy)
            places.giveBack()
        case .run(let name, let instance, let pause):
            do { if pause > .zero { try await Task.sleep(for: pause) } } catch { return }
            await runInstance(name, instance)
        case .drain(let instance):
            do { try await Task.sleep(for: configuration.drainTimeout) } catch { return }
            instance.stop.fulfill(())
        }
    }

    private func follow(after position: Position) async throws {
        for try await batch in store.subscribe(after: position, waitingFor: Self.isOfAgents) {
            await take(batch)
        }
    }

    /// True for the events that `take` heeds.
    private static func isOfAgents(_ event: Event) -> Bool {
        switch event.payload {
        case .resourceStored(let stored): stored.kind == .agent
        case .resourceDeleted(let deleted): deleted.kind == .agent
        case .secretStored(let stored): stored.kind == .agent
        case .secretDeleted(let deleted): deleted.kind == .agent
        case .controlStopped: true
        default: false
        }
    }

    private func take(_ batch: [RecordedEvent]) async {
        var (deployed, resealed): (Set<Name>, Set<Name>) = ([], [])
        for recorded in batch {
            let event = recorded.event
            switch event.payload {
            case .resourceStored(let stored) where stored.kind == .agent:
                deployed.insert(Name(workspace: event.workspace, name: stored.name))
            case .resourceDeleted(let deleted) where deleted.kind == .agent:
                let name = Name(workspace: event.workspace, name: deleted.name)
                deployed.remove(name)
                await forget(name, ResourceID(event.stream.id))
            case .controlStopped(let stopped): killAll(of: stopped.key(in: event.workspace))
            case .secretStored(let stored) where stored.kind == .agent:
                resealed.insert(Name(workspace: event.workspace, name: stored.owner))
            case .secretDeleted(let deleted) where deleted.kind == .agent:
                resealed.insert(Name(workspace: event.workspace, name: deleted.owner))
            default: break
            }
        }
        // A process has the secrets of its start: others are had by the next one. A deploy brings that anyway.
        for name in resealed.subtracting(deployed) where slots[name] != nil {
            retire(name)
            deployed.insert(name)
        }
        for name in deployed { addJob.yield(.prepare(name, isDeploy: true)) }
    }

    /// Stops what is idle, and what does not answer any more.
    private func watch() async throws {
        let pause = min(.seconds(10), max(.milliseconds(200), configuration.idleTimeout / 4))
        while true {
            try await Task.sleep(for: pause)
            for (name, slot) in slots {
                guard let since = slot.lifecycle.idleSince else { continue }
                if now - since >= configuration.idleTimeout { retire(name) }
            }
            await checkHealth()
        }
    }

    /// The gate takes connections from now on; no process is started before.
    package nonisolated func gateIsOpen() { gateOpening.fulfill(()) }

    /// Where the gate has to listen, by a path that is short enough for a socket.
    package nonisolated var gateAddress: String { directory.address(of: directory.gateSocket) }

    var now: Duration { ContinuousClock.now - start }

    /// Makes an instance that the job queue starts.
    func begin(
        _ name: Name, _ version: AgentVersion, _ number: AgentLifecycle.InstanceNumber, after pause: Duration
    ) -> AgentInstance {
        socketCount += 1
        let socket = directory.path + "/agent-\(socketCount).sock"
        let instance = AgentInstance(
            number: number, version: version, socketPath: socket, socketAddress: directory.address(of: socket))
        slots[name]?.instances[number] = instance
        addJob.yield(.run(name, instance, after: pause))
        return instance
    }

    /// No further calls for the agent's instance; it stops when its calls are done, or their time is over.
    func retire(_ name: Name) { stop(slots[name]?.lifecycle.retire(), of: name) }

    /// Stops a retired instance, now or when its calls are done.
    func stop(_ retired: (number: AgentLifecycle.InstanceNumber, isIdle: Bool)?, of name: Name) {
        guard let (number, isIdle) = retired, let instance = slots[name]?.instances[number] else { return }
        if isIdle { instance.stop.fulfill(()) } else { addJob.yield(.drain(instance)) }
    }

    /// Stops what runs of an agent and forgets it, except its output.
    func dismiss(_ name: Name) {
        retire(name)
        endTrial(name)
        slots[name] = nil
    }

    /// No further calls for the instance of a call that was not answered, whose handler may go on. It is ended with that
    /// call when no other one is on it, else when those are done or their time is over.
    func retire(_ lease: Lease) {
        guard let (number, isIdle) = slots[lease.name]?.lifecycle.retire(lease.instance.number),
            let instance = slots[lease.name]?.instances[number]
        else { return }
        logger.warning("agent instance retired after an unanswered call", metadata: ["agent": "\(lease.name.name)"])
        if isIdle { instance.stop.fulfill(()) } else { addJob.yield(.drain(instance)) }
    }

    /// Ends a call that a control broke off. Its instance gets no further calls, and is killed with its token when no
    /// other run is on it, else once those are done or their time is over: they are not lost.
    func breakOff(_ lease: Lease) {
        let number = lease.instance.number
        guard slots[lease.name]?.instances[number] === lease.instance else { return kill(lease.instance) }
        retire(lease)
        if slots[lease.name]?.lifecycle.giveBack(number, at: now) == number { kill(lease.instance) }
    }

    /// Revokes the instance's token and ends its process, with all that it has started, within two seconds.
    private func kill(_ instance: AgentInstance) {
        tokens.revoke(instance.invokes)
        instance.kill.fulfill(())
    }

    /// Ends every instance of the agent, earlier versions that are at calls included.
    private func killAll(_ name: Name) {
        retire(name)
        for instance in slots[name]?.instances.values.map(\.self) ?? [] { kill(instance) }
    }

    private func killAll(of key: ControlKey) {
        for slot in slots.keys where key.covers(agent: slot.name, in: slot.workspace) { killAll(slot) }
    }

    private func forget(_ name: Name, _ id: ResourceID) async {
        if slots[name]?.agentID == id {
            killAll(name)
            slots[name] = nil
        }
        await output(of: id).remove()
        outputs[id] = nil
    }
}
