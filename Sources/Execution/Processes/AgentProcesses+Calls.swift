import CommandHandling
import Domain
import Logging
import Outbound

extension AgentProcesses {
    private static let answersWaitedFor = 3
    private static let healthTimeout = Duration.seconds(5)
    private static let silencesMax = 3

    /// A call's right to an instance, to be given back.
    struct Lease: Sendable {
        let name: Name
        let instance: AgentInstance
    }

    /// An instance that answers, started now if need be.
    ///
    /// - Throws: why there is none, and whether that is worth another attempt.
    func lease(_ name: Name) async throws(CallRefusal) -> Lease {
        for _ in 0..<Self.answersWaitedFor {
            try await find(name)
            guard let slot = slots[name] else { throw .lasting(AgentRefusal("agent \(name.name) not found")) }
            try checkNotStopped(name)
            do {
                if slot.version.definition.image == nil {
                    _ = try await sandbox.current()
                    _ = try await bundles.bundle(slot.version.definition, retries: false)
                } else {
                    _ = try await containers.current()
                }
            } catch {
                throw .lasting(error)
            }
            // Others may have gone on meanwhile: nothing is awaited between this look and what follows from it.
            guard let current = slots[name], current.version.revision == slot.version.revision else { continue }
            try checkNotStopped(name)
            if !current.lifecycle.hasInstance { try makeRoom() }
            let waited: AgentInstance
            switch slots[name]?.lifecycle.demand(at: now) {
            case nil: continue
            case .use(let number)?:
                guard let instance = slots[name]?.instances[number] else { continue }
                return Lease(name: name, instance: instance)
            case .wait(let number)?:
                guard let instance = slots[name]?.instances[number] else { continue }
                waited = instance
            case .start(let number, let pause)?:
                waited = begin(name, current.version, number, after: pause)
            }
            switch await waited.readiness.value() {
            case .ready?: continue
            case .failed(let reason)?: throw .passing(AgentRefusal(reason))
            case nil: throw .passing(AgentRefusal("the call was broken off"))
            }
        }
        throw .passing(AgentRefusal("agent \(name.name) is being replaced"))
    }

    /// Refuses a call of an agent that is stopped, before anything is started for it.
    private func checkNotStopped(_ name: Name) throws(CallRefusal) {
        guard let stop = commands.stop(ofAgent: name.name, in: name.workspace) else { return }
        throw .passing(AgentRefusal(stop.description))
    }

    /// Ends a call.
    ///
    /// - Returns: true when its instance is stopped with it.
    @discardableResult
    func giveBack(_ lease: Lease) -> Bool {
        guard let number = slots[lease.name]?.lifecycle.giveBack(lease.instance.number, at: now) else { return false }
        slots[lease.name]?.instances[number]?.stop.fulfill(())
        return true
    }

    /// Stops an instance that takes no connection, and waits until its end is known.
    func awaitEnd(_ lease: Lease) async {
        lease.instance.stop.fulfill(())
        _ = await lease.instance.end.value()
    }

    /// Has the slot show the version that serves, or the newest when none has.
    private func find(_ name: Name) async throws(CallRefusal) {
        let (found, serving): (AgentCatalog.Agent, AgentCatalog.Agent)
        do {
            guard let agent = try await catalog.agent(name) else {
                throw CallRefusal.lasting(AgentRefusal("agent \(name.name) not found"))
            }
            (found, serving) = (agent, try await self.serving(agent))
        } catch let refusal as CallRefusal {
            throw refusal
        } catch {
            throw .passing(AgentRefusal("the agent cannot be looked up: \(error)"))
        }
        do { try install(serving, newest: found.revision, name) } catch { throw .lasting(error) }
    }

    /// The version of an agent that serves: the agent itself, unless an earlier revision does.
    func serving(_ agent: AgentCatalog.Agent) async throws -> AgentCatalog.Agent {
        guard let revision = agent.servingRevision, revision != agent.revision,
            let document = try await catalog.version(agent.id, revision)
        else { return agent }
        return AgentCatalog.Agent(
            id: agent.id, revision: revision, document: document, phase: "Running", message: nil,
            servingRevision: revision)
    }

    /// Takes a version over, unless one of the agent that is as new or that serves is there.
    ///
    /// - Parameter newest: the agent's newest revision.
    func install(_ agent: AgentCatalog.Agent, newest: UInt64, _ name: Name) throws(AgentRefusal) {
        if let slot = slots[name], slot.agentID == agent.id {
            slots[name]?.newestRevision = max(slot.newestRevision, newest)
            guard slot.version.revision < agent.revision, !slot.hasServed else { return }
            let version = try AgentVersion(agent)
            retire(name)
            slots[name]?.version = version
            slots[name]?.lifecycle.forgive()
            return
        }
        let version = try AgentVersion(agent)
        dismiss(name)
        slots[name] = Slot(
            version: version, hasServed: agent.servingRevision == agent.revision, newestRevision: newest,
            lifecycle: AgentLifecycle(configuration.lifecycle), output: output(of: agent.id),
            reported: agent.phase.map { [agent.revision: Status(phase: $0, message: agent.message)] } ?? [:])
    }

    /// Retires the instance that has been idle for longest when all places are taken.
    private func makeRoom() throws(CallRefusal) {
        guard slots.values.count(where: { $0.lifecycle.hasInstance }) >= configuration.instancesMax else { return }
        let idle = slots.compactMap { name, slot in slot.lifecycle.idleSince.map { (name, $0) } }
        guard let (longest, _) = idle.min(by: { $0.1 < $1.1 }) else {
            throw .passing(
                AgentRefusal("all \(configuration.instancesMax) places for agents are busy; raise agent-instances-max"))
        }
        retire(longest)
    }

    /// Asks every ready instance whether it is well; one that does not say so for long is stopped, as a crash.
    func checkHealth() async {
        let ready = slots.values.flatMap(\.instances.values).filter { $0.readiness.current == .ready }
        await withDiscardingTaskGroup { group in
            for instance in ready {
                group.addTask { [logger] in
                    guard instance.noteHealth(await self.answers(instance)) >= Self.silencesMax else { return }
                    logger.warning("an agent does not answer its health check and is stopped")
                    instance.stop.fulfill(())
                }
            }
        }
    }

    func answers(_ instance: AgentInstance) async -> Bool {
        do {
            let response = try await client.execute(
                OutboundRequest(
                    "GET", instance.url("/healthz"), addresses: .unrestricted,
                    limits: OutboundLimits(headTimeout: Self.healthTimeout, bodyBytesMax: 65_536)))
            _ = try await response.body.collect()
            return response.status == 200
        } catch {
            return false
        }
    }
}

/// Why a call cannot be made.
enum CallRefusal: Error, Hashable, Sendable {
    /// Another attempt may succeed.
    case passing(AgentRefusal)
    /// It will be so until somebody changes something.
    case lasting(AgentRefusal)
}
