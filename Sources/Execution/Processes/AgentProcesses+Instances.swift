import CommandHandling
import Domain
import Logging

extension AgentProcesses {
    private static let pollPause = Duration.milliseconds(50)
    private static let shownBytesMax = 2000
    private static let lastLineCharactersMax = 300
    /// How the runtime says that it goes on without the agent's code.
    private static let importFailure = "failed to import user module"

    /// Builds a deployed agent and, after a deploy, starts it: so whoever deployed it sees what is wrong with it.
    func prepare(_ name: Name, isDeploy: Bool) async {
        guard let agent = try? await catalog.agent(name), await isRunHere(agent.document) else {
            retire(name)
            slots[name] = nil
            return
        }
        do throws(AgentRefusal) {
            try install(agent, name)
            guard let definition = slots[name]?.definition else { return }
            _ = try await program(definition, retries: isDeploy) {
                await self.report(name, agent.revision, "Pending", "what it needs is being fetched")
            }
            // What a crash has kept from being tried after its deploy is tried now.
            guard isDeploy || agent.phase == nil || agent.phase == "Pending" else { return }
            guard commands.stop(ofAgent: name.name, in: name.workspace) == nil else { return }
            do throws(CallRefusal) {
                giveBack(try await lease(name))
            } catch {
                switch error {
                case .passing(let refusal), .lasting(let refusal): throw refusal
                }
            }
        } catch {
            if !Task.isCancelled { await report(name, agent.revision, "Failed", error.description) }
        }
    }

    private func isRunHere(_ document: JSONValue) async -> Bool {
        if AgentDefinition.hasSources(document) { return true }
        guard AgentDefinition.image(document) != nil else { return false }
        return await runsImages()
    }

    /// What an instance runs, built or fetched now unless it is there.
    private func program(
        _ definition: AgentDefinition, retries: Bool, onBuild: @Sendable () async -> Void = {}
    ) async throws(AgentRefusal) -> AgentProgram {
        if let image = definition.image {
            let engine = try await containers.current()
            return .container(engine, try await engine.image(image, onPull: onBuild))
        }
        let sandbox = try await sandbox.current()
        let bundle = try await bundles.bundle(definition, retries: retries, onBuild: onBuild)
        return sandbox.map { .sandboxed($0, bundle) } ?? .bare(bundle)
    }

    /// From the start of its process to its end.
    func runInstance(_ name: Name, _ instance: AgentInstance) async {
        _ = await gateOpening.value()
        guard let slot = slots[name], !instance.isStopping else {
            return await ended(name, instance, "it was stopped before it had started")
        }
        let token = tokens.insert(name, instance.invokes)
        defer { tokens.remove(token) }
        // Between the look above and here nothing is awaited: a later kill finds the token.
        instance.redact(with: catalog.redaction([token]))
        do {
            let offset = await slot.output.read(after: .max, bytesMax: 0).next
            let process = try await process(name, slot, token)
            let reason = await withTaskGroup(of: String?.self) { group in
                group.addTask { await process.run(instance) }
                group.addTask {
                    await self.awaitAnswer(name, instance, slot.agent.revision, outputFrom: offset)
                    return nil
                }
                var reason: String?
                while reason == nil, let next = await group.next() { reason = next }
                group.cancelAll()
                return reason ?? ""
            }
            await ended(name, instance, reason)
        } catch {
            await ended(name, instance, "\(error)")
        }
    }

    private func process(_ name: Name, _ slot: Slot, _ token: String) async throws -> AgentProcess {
        var tools: [AgentEnvironment.Tool] = []
        for tool in slot.definition.requiredTools {
            if let document = try await catalog.tool(name.workspace, tool) {
                tools.append(.init(name: tool, document: document))
            }
        }
        let secrets = try await catalog.secrets(name)
        let (definition, known) = (slot.definition, tools)
        let program = try await program(slot.definition, retries: false)
        return AgentProcess(
            configuration: configuration, program: program, groups: groups, directory: directory, output: slot.output,
            // Output is redacted line by line, so each line of a secret is one.
            redaction: catalog.redaction(
                ([token] + secrets.values).flatMap { $0.split(whereSeparator: \.isNewline).map(String.init) }
                    .filter { $0.utf8.count >= AgentOutput.secretBytesMin })
        ) { gate, port in
            AgentEnvironment(
                name: name.name, definition: definition, secrets: secrets, tools: known,
                gate: "http://\(gate)/as/\(token)", port: port, sourceDirectory: program.places?.sources,
                environmentDirectory: program.places?.environment
            ).variables
        }
    }

    /// Polls until the instance answers; one that takes too long is stopped.
    private func awaitAnswer(
        _ name: Name, _ instance: AgentInstance, _ revision: UInt64, outputFrom offset: UInt64
    ) async {
        let deadline = now + configuration.startTimeout
        while !Task.isCancelled {
            if await answers(instance) {
                slots[name]?.lifecycle.answers(instance.number, at: now)
                instance.readiness.fulfill(.ready)
                return await reportReady(name, revision, outputFrom: offset)
            }
            if now >= deadline {
                instance.readiness.fulfill(
                    .failed("the agent did not answer within \(configuration.startTimeout) of its start"))
                instance.stop.fulfill(())
                return
            }
            do { try await Task.sleep(for: Self.pollPause) } catch { return }
        }
    }

    private func reportReady(_ name: Name, _ revision: UInt64, outputFrom offset: UInt64) async {
        let page = await slots[name]?.output.read(after: offset, bytesMax: 1024 * 1024)
        let failure = page?.text.split(separator: "\n").first { $0.contains(Self.importFailure) }
        if let failure {
            await report(name, revision, "Failed", "its code cannot be imported: \(failure.prefix(Self.shownBytesMax))")
        } else {
            await report(name, revision, "Running", "ready" + (await limitNote(name)))
        }
    }

    /// The part of a limit that this machine cannot hold; empty when it holds all of them.
    private func limitNote(_ name: Name) async -> String {
        guard configuration.sandbox != .none, slots[name]?.definition.image == nil, let refusal = await groups.refusal()
        else { return "" }
        return "; memory is limited per process: \(refusal)"
    }

    private func ended(_ name: Name, _ instance: AgentInstance, _ reason: String) async {
        defer { instance.end.fulfill(()) }
        let shown = await slots[name]?.output.lastLines(bytesMax: Self.shownBytesMax) ?? ""
        instance.readiness.fulfill(.failed("the agent's process ended: \(reason)\n\(shown)"))
        // At the daemon's own end nothing is started again.
        guard !Task.isCancelled, let slot = slots[name], slot.instances[instance.number] === instance else { return }
        slots[name]?.instances[instance.number] = nil
        guard let exit = slots[name]?.lifecycle.ended(instance.number, at: now) else { return }
        switch exit {
        case .expected: return
        case .restart(let number, let pause):
            logger.warning(
                "an agent's process has crashed",
                metadata: ["agent": "\(name.name)", "reason": "\(reason)", "restart_after": "\(pause)"])
            _ = begin(name, number, after: pause)
        case .crashLoop:
            await report(
                name, slot.agent.revision, "Failed",
                "crashed \(slot.lifecycle.crashes + 1) times, started again at the next call: \(reason)"
                    + "\(Self.lastLine(shown))\n\(shown)")
        }
    }

    /// The last line of the output, for the first line of a message: it mostly says why the process ended.
    private static func lastLine(_ output: String) -> String {
        guard let last = output.split(whereSeparator: \.isNewline).last else { return "" }
        return "; its last output: \(last.prefix(lastLineCharactersMax))"
    }

    /// Records the agent's state, when it is another than the one recorded last.
    private func report(_ name: Name, _ revision: UInt64, _ phase: String, _ message: String) async {
        let message = String(decoding: message.utf8.suffix(4 * Self.shownBytesMax), as: UTF8.self)
        if let slot = slots[name] {
            guard slot.agent.revision == revision else { return }
            if let last = slot.reported, last.phase == phase, last.message == message { return }
        }
        slots[name]?.reported = (phase, message)
        let status = ResourceStatusRecorded(
            kind: .agent, name: name.name, phase: phase, message: message, latencyMilliseconds: 0)
        while !Task.isCancelled {
            do throws(CommandError) {
                _ = try await commands.execute(
                    .recordResourceStatus(status), CommandRequest(workspace: name.workspace, actor: .executor))
                return
            } catch {
                switch error {
                // The agent was deleted, or the daemon stops.
                case .rejected, .stopped, .idempotencyMismatch: return
                case .overloaded, .readOnly:
                    do { try await Task.sleep(for: .seconds(1)) } catch { return }
                }
            }
        }
    }
}
