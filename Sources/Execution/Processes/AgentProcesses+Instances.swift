import CommandHandling
import Domain
import Logging

extension AgentProcesses {
    private static let pollPause = Duration.milliseconds(50)
    private static let shownBytesMax = 2000
    private static let lastLineCharactersMax = 300
    /// The words with which the runtime reports that it continues without the agent's code.
    private static let importFailure = "failed to import user module"

    /// Builds a deployed agent and, after a deploy, starts it: its status says what is wrong with it. While an earlier
    /// version serves, that one keeps the calls until the new one answers.
    func prepare(_ name: Name, isDeploy: Bool) async {
        guard let agent = try? await catalog.agent(name), let serving = try? await serving(agent),
            await isRunHere(agent, serving)
        else { return dismiss(name) }
        do throws(AgentRefusal) {
            try install(serving, newest: agent.revision, name)
            // A version whose trial was cut off by a crash of the daemon is tried now.
            let mayStart =
                (isDeploy || agent.phase == nil || agent.phase == "Pending")
                && commands.stop(ofAgent: name.name, in: name.workspace) == nil
            guard let slot = slots[name] else { return }
            if slot.hasServed, slot.version.revision < agent.revision {
                if mayStart { try await tryVersion(try AgentVersion(agent), name, retries: isDeploy) }
                return
            }
            _ = try await program(slot.version.definition, retries: isDeploy) {
                await self.report(name, agent.revision, "Pending", "what it needs is being fetched")
            }
            guard mayStart else { return }
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

    /// True when Sluice runs the agent: it has sources, or an image with an engine for it or with an earlier version that
    /// serves.
    private func isRunHere(_ agent: AgentCatalog.Agent, _ serving: AgentCatalog.Agent) async -> Bool {
        if AgentDefinition.hasSources(agent.document) { return true }
        guard AgentDefinition.image(agent.document) != nil else { return false }
        guard serving.revision == agent.revision else { return true }
        return await runsImages()
    }

    /// What an instance runs, built or fetched now unless it is there.
    func program(
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
        guard let output = slots[name]?.output, !instance.isStopping else {
            return await ended(name, instance, "it was stopped before it had started")
        }
        let token = tokens.insert(name, instance.invokes)
        defer { tokens.remove(token) }
        // Between the look above and here nothing is awaited: a later kill finds the token.
        instance.redact(with: catalog.redaction([token]))
        do {
            let offset = await output.read(after: .max, bytesMax: 0).next
            let process = try await process(name, instance.version.definition, output, token)
            let reason = await withTaskGroup(of: String?.self) { group in
                group.addTask { await process.run(instance) }
                group.addTask {
                    await self.awaitAnswer(name, instance, output, outputFrom: offset)
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

    private func process(
        _ name: Name, _ definition: AgentDefinition, _ output: AgentOutput, _ token: String
    ) async throws -> AgentProcess {
        var tools: [AgentEnvironment.Tool] = []
        for tool in definition.requiredTools {
            if let document = try await catalog.tool(name.workspace, tool) {
                tools.append(.init(name: tool, document: document))
            }
        }
        let secrets = try await catalog.secrets(name)
        let known = tools
        let program = try await program(definition, retries: false)
        return AgentProcess(
            configuration: configuration, program: program, groups: groups, directory: directory, output: output,
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

    /// Polls until the instance answers and has imported its code; one that takes too long or could not is stopped.
    private func awaitAnswer(
        _ name: Name, _ instance: AgentInstance, _ output: AgentOutput, outputFrom offset: UInt64
    ) async {
        let deadline = now + configuration.startTimeout
        while !Task.isCancelled {
            if await answers(instance) {
                if let failure = await Self.importFailure(in: output, from: offset) {
                    instance.readiness.fulfill(.failed("its code cannot be imported: \(failure)"))
                    instance.stop.fulfill(())
                    return
                }
                let serves = takeCalls(name, instance)
                instance.readiness.fulfill(.ready)
                guard serves else { return }
                return await report(
                    name, instance.version.revision, "Running", "ready" + (await limitNote(instance.version)))
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

    /// The line in which the runtime reports that it continues without the agent's code.
    private static func importFailure(in output: AgentOutput, from offset: UInt64) async -> String? {
        let page = await output.read(after: offset, bytesMax: 1024 * 1024)
        return page.text.split(separator: "\n").first { $0.contains(importFailure) }
            .map { String($0.prefix(shownBytesMax)) }
    }

    /// The part of a limit that this machine cannot hold; empty when it holds all of them.
    private func limitNote(_ version: AgentVersion) async -> String {
        guard configuration.sandbox != .none, version.definition.image == nil, let refusal = await groups.refusal()
        else { return "" }
        return "; memory is limited per process: \(refusal)"
    }

    private func ended(_ name: Name, _ instance: AgentInstance, _ reason: String) async {
        defer { instance.end.fulfill(()) }
        let shown = await slots[name]?.output.lastLines(bytesMax: Self.shownBytesMax) ?? ""
        instance.readiness.fulfill(
            .failed("the agent's process ended: \(reason)\(Self.lastLine(shown))\n\(shown)"))
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
            _ = begin(name, slot.version, number, after: pause)
        case .crashLoop:
            await report(
                name, instance.version.revision, "Failed",
                "crashed \(slot.lifecycle.crashes + 1) times, started again at the next call: \(reason)"
                    + "\(Self.lastLine(shown))\n\(shown)")
        }
    }

    /// The last line of the output, for the first line of a message: it mostly says why the process ended.
    private static func lastLine(_ output: String) -> String {
        guard let last = output.split(whereSeparator: \.isNewline).last else { return "" }
        return "; its last output: \(last.prefix(lastLineCharactersMax))"
    }

    /// Records the state of a version, when it is another than the one recorded last.
    func report(_ name: Name, _ revision: UInt64, _ phase: String, _ message: String) async {
        let message = String(decoding: message.utf8.suffix(4 * Self.shownBytesMax), as: UTF8.self)
        if let slot = slots[name] {
            // The end of a version that was replaced says nothing of the agent.
            guard revision >= slot.version.revision else { return }
            let status = Status(phase: phase, message: message)
            guard slot.reported[revision] != status else { return }
            slots[name]?.reported = slot.reported.filter { $0.key >= slot.version.revision }
            slots[name]?.reported[revision] = status
        }
        let status = ResourceStatusRecorded(
            kind: .agent, name: name.name, phase: phase, message: message, latencyMilliseconds: 0, revision: revision)
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
