import Domain
import Subprocess
import SystemPackage

/// Runs an instance's process: launcher, sandbox and runtime, from the start to the end of all of it.
struct AgentProcess: Sendable {
    let configuration: AgentsConfiguration
    let program: AgentProgram
    let groups: ControlGroupChoice
    let directory: RuntimeDirectory
    let output: AgentOutput
    /// Redacts the instance's token and the agent's secrets.
    let redaction: AgentCatalog.Redaction
    /// The environment for a gate's address and the runtime's port.
    let variables: @Sendable (_ gate: String, _ port: Int) -> [String: String]

    /// Returns when the process has ended, with what it ended with. When `stop` is fulfilled it is told to stop, and
    /// killed with all its children when it takes too long; when the task is cancelled it is killed.
    func run(_ instance: AgentInstance) async -> String {
        let control = AgentControl()
        do {
            let listener = FileDescriptor(rawValue: try await control.listen(address: instance.socketAddress))
            let status =
                switch program {
                case .bare(let bundle):
                    try await run(
                        .path(FilePath(bundle.environment + "/bin/python")), ["-I", directory.launcher], instance,
                        control, listener)
                case .sandboxed(let sandbox, let bundle):
                    try await run(sandbox, bundle, instance, control, listener)
                case .container(let engine, let image):
                    try await run(engine, image, instance, control, listener)
                }
            await output.finishLine(redacting: redaction)
            await control.end()
            return Self.text(status)
        } catch let refusal as AgentRefusal {
            return refusal.description
        } catch {
            return "it could not be started: \(error)"
        }
    }

    /// The launcher has a second to end the agent; then both are killed.
    private static let killTimeout = Duration.milliseconds(1_500)

    private static var options: PlatformOptions {
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [
            .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))
        ]
        return options
    }

    /// In a control group, where one can be made.
    private func run(
        _ sandbox: Sandbox, _ bundle: BundleStore.Bundle, _ instance: AgentInstance, _ control: AgentControl,
        _ listener: FileDescriptor
    ) async throws -> TerminationStatus {
        let group = await groups.group(configuration.limits)
        let (program, arguments) = SandboxEntry.command(sandbox.program, arguments(sandbox, bundle), in: group)
        let result: Result<TerminationStatus, any Error>
        do {
            result = .success(
                try await run(.path(FilePath(program)), arguments, instance, control, listener))
        } catch {
            result = .failure(error)
        }
        if let group { await groups.remove(group) }
        return try result.get()
    }

    private func run(
        _ executable: Executable, _ arguments: [String], _ instance: AgentInstance, _ control: AgentControl,
        _ listener: FileDescriptor
    ) async throws -> TerminationStatus {
        let ports = try ports()
        return try await Subprocess.run(
            executable, arguments: Arguments(arguments), environment: DaemonEnvironment.forChildren,
            platformOptions: Self.options, input: .fileDescriptor(listener, closeAfterSpawningProcess: true),
            output: .sequence, error: .combinedWithOutput
        ) { execution in
            await attend(execution, instance, control, order(ports))
        }.terminationStatus
    }

    /// A container inherits no descriptor: its launcher is sent the socket.
    private func run(
        _ engine: ContainerEngine, _ image: AgentImage, _ instance: AgentInstance, _ control: AgentControl,
        _ listener: FileDescriptor
    ) async throws -> TerminationStatus {
        defer { try? listener.close() }
        let place = instance.socketPath + ".offer"
        let name = container(instance)
        let command = ContainerCommand(
            name: name, image: image, limits: configuration.limits, launcher: directory.launcher,
            modules: directory.agentModules, gateSocket: directory.gateSocket, offerSocket: place,
            addsWritableMemory: engine.addsWritableMemory)
        let offer = try SocketOffer(address: directory.address(of: place))
        let ports = try ports()
        let result = try await Subprocess.run(
            engine.executable, arguments: Arguments(engine.arguments + command.arguments),
            environment: DaemonEnvironment.forChildren, platformOptions: Self.options, input: .none,
            output: .sequence, error: .combinedWithOutput
        ) { execution in
            // Ends with this block, if nobody has taken the socket.
            async let handed: Void = offer.hand(listener.rawValue)
            await attend(execution, instance, control, order(ports))
        }
        await engine.remove(name)
        return result.terminationStatus
    }

    /// Reads what the process writes until nothing more can come, and stops it when that is asked.
    private func attend<Input: InputProtocol>(
        _ execution: Execution<Input, SequenceOutput, CombinedErrorOutput>, _ instance: AgentInstance,
        _ control: AgentControl, _ order: [UInt8]
    ) async {
        await withTaskGroup { group in
            group.addTask {
                do {
                    try await control.send(order)
                    for try await buffer in execution.standardOutput {
                        await output.append(buffer.withUnsafeBytes(Array.init), redacting: redaction)
                    }
                } catch {
                    await output.append(Array("the launcher: \(error)\n".utf8), redacting: redaction)
                }
            }
            group.addTask {
                guard await instance.stop.value() != nil else { return }
                await control.end()
                do { try await Task.sleep(for: configuration.stopTimeout + .seconds(2)) } catch { return }
                // What has ended meanwhile needs no signal.
                try? execution.send(signal: .kill, toProcessGroup: true)
            }
            group.addTask {
                guard await instance.kill.value() != nil else { return }
                await control.end(at: .once)
                do { try await Task.sleep(for: Self.killTimeout) } catch { return }
                try? execution.send(signal: .kill, toProcessGroup: true)
            }
            await group.next()
            group.cancelAll()
        }
        try? execution.send(signal: .kill, toProcessGroup: true)
    }

    /// What the launcher is told, in one line.
    private func order(_ ports: (gate: Int, agent: Int)) -> [UInt8] {
        let variables = variables("127.0.0.1:\(ports.gate)", ports.agent)
        let order = JSONValue.object([
            .init(name: "gate_socket", value: .string(gateSocket)),
            .init(name: "gate_port", value: .number(String(ports.gate))),
            .init(name: "gate_connections", value: .number(String(configuration.launcherConnectionsMax))),
            .init(name: "agent_port", value: .number(String(ports.agent))),
            .init(name: "is_sandboxed", value: .bool(program.isSandboxed)),
            .init(name: "grace_seconds", value: .number(String(max(1, configuration.stopTimeout.components.seconds)))),
            .init(name: "command", value: .array(program.command(modules: directory.agentModules).map { .string($0) })),
            .init(
                name: "environment",
                value: .object(
                    variables.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: .string($0.value)) })),
        ])
        return Array(order.text.text.utf8) + [UInt8(ascii: "\n")]
    }

    private var gateSocket: String { program.isSandboxed ? "/run/sluice/gate.sock" : directory.gateSocket }

    /// In a sandbox every port is free; without one, two that are free now.
    private func ports() throws(AgentRefusal) -> (gate: Int, agent: Int) {
        guard !program.isSandboxed else { return (Launcher.gatePort, Launcher.agentPort) }
        return (try FreePort.find(), try FreePort.find())
    }

    /// A name that no other container has: its socket is this daemon's, and no other instance's.
    private func container(_ instance: AgentInstance) -> String {
        let place = ContentKey.container(directory: directory.path, socket: instance.socketAddress)
        return "sluice-\(place.description.prefix(24))"
    }

    private func arguments(_ sandbox: Sandbox, _ bundle: BundleStore.Bundle) -> [String] {
        var command = SandboxCommand(
            identity: sandbox.identity, host: sandbox.host.running(bundle.python),
            command: ["/bundle/venv/bin/python", "-I", "/run/sluice/launch.py"])
        command.limits = configuration.limits
        command.mounts =
            bundle.python.mounts + [
                .init(source: bundle.sources, target: "/bundle/src"),
                .init(source: bundle.environment, target: "/bundle/venv"),
                .init(source: directory.launcher, target: "/run/sluice/launch.py"),
                .init(source: directory.agentModules, target: AgentModules.mountPoint),
                .init(source: directory.gateSocket, target: "/run/sluice/gate.sock"),
            ]
        return command.arguments
    }

    private static func text(_ status: TerminationStatus) -> String {
        switch status {
        case .exited(let code): "it ended with exit code \(code)"
        case .signaled(let number): "it was ended by signal \(number)"
        }
    }
}
