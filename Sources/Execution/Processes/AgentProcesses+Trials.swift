import Domain

/// A new version is tried beside the one that serves, and gets the calls once it has started.
extension AgentProcesses {
    /// Builds the version and starts an instance of it, which replaces the serving one when it answers.
    ///
    /// - Throws: why it does not start; the serving version keeps the calls.
    func tryVersion(_ version: AgentVersion, _ name: Name, retries: Bool) async throws(AgentRefusal) {
        _ = try await program(version.definition, retries: retries) {
            await self.report(name, version.revision, "Pending", "what it needs is being fetched")
        }
        // A later deploy may have come meanwhile: nothing is awaited between this look and what follows from it.
        guard let slot = slots[name], slot.agentID == version.agent.id, slot.newestRevision == version.revision,
            slot.version.revision < version.revision
        else { return }
        endTrial(name)
        guard let number = slots[name]?.lifecycle.beginTrial() else { return }
        slots[name]?.trial = number
        let instance = begin(name, version, number, after: .zero)
        switch await instance.readiness.value() {
        case .ready?, nil: return
        case .failed(let reason)?:
            let newest = slots[name]?.newestRevision ?? version.revision
            guard newest == version.revision else {
                throw AgentRefusal("it was replaced by version \(newest) before it had started")
            }
            throw AgentRefusal(reason)
        }
    }

    /// An instance answers: it gets the calls, of which one on trial relieves the instance that served.
    ///
    /// - Returns: true when its version serves; false for an instance that was replaced meanwhile.
    func takeCalls(_ name: Name, _ instance: AgentInstance) -> Bool {
        guard let slot = slots[name], slot.instances[instance.number] === instance else { return false }
        if slot.trial == instance.number {
            slots[name]?.trial = nil
            let replaced = slots[name]?.lifecycle.promote(instance.number, at: now)
            slots[name]?.version = instance.version
            stop(replaced ?? nil, of: name)
        } else {
            slots[name]?.lifecycle.answers(instance.number, at: now)
        }
        guard slots[name]?.version.revision == instance.version.revision else { return false }
        slots[name]?.hasServed = true
        return true
    }

    /// Stops the instance on trial, if there is one.
    func endTrial(_ name: Name) {
        guard let number = slots[name]?.trial else { return }
        slots[name]?.trial = nil
        slots[name]?.instances[number]?.stop.fulfill(())
    }
}
