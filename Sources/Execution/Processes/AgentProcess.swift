import Domain
import Subprocess
import SystemPackage

/// Runs an instance's process: launcher, sandbox and runtime, from the start to the end of all of it.
struct AgentProcess: Sendable {
    let configuration: AgentsConfiguration
    let sandbox: Sandbox?
    let directory: RuntimeDirectory
    let bundle: BundleStore.Bundle
    let output: AgentOutput
    let secrets: [[UInt8]]
    /// The environment for a gate's address and the runtime's port.
    let variables: @Sendable (_ gate: String, _ port: Int, _ sources: String, _ environment: String) -> [String: String]

    /// Returns when the process has ended, with what it ended with. When `stop` is fulfilled it is told to stop, and
    /// killed with all its children when it takes too long; when the task is cancelled it is killed.
    func run(_ instance: AgentInstance) async -> String {
        let control = AgentControl()
        do {
            let listener = try await control.listen(address: instance.socketAddress)
            let ports = try ports()
            let (executable, arguments) = command
            var options = PlatformOptions()
            options.createSession = true
            options.teardownSequence = [
                .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))
            ]
            let result = try await Subprocess.run(
                executable, arguments: Arguments(arguments), environment: DaemonEnvironment.forChildren,
                platformOptions: options,
                input: .fileDescriptor(FileDescriptor(rawValue: listener), closeAfterSpawningProcess: true),
                output: .sequence, error: .combinedWithOutput
            ) { execution in
                await attend(execution, instance, control, order(ports))
            }
            await output.finishLine(masking: secrets)
            await control.end()
            return Self.text(result.terminationStatus)
        } catch let refusal as AgentRefusal {
            return refusal.description
        } catch {
            return "it could not be started: \(error)"
        }
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
                        await output.append(buffer.withUnsafeBytes(Array.init), masking: secrets)
                    }
                } catch {
                    await output.append(Array("the launcher: \(error)\n".utf8), masking: secrets)
                }
            }
            group.addTask {
                guard await instance.stop.value() != nil else { return }
                await control.end()
                do { try await Task.sleep(for: configuration.stopTimeout + .seconds(2)) } catch { return }
                // What has ended meanwhile needs no signal.
                try? execution.send(signal: .kill, toProcessGroup: true)
            }
            await group.next()
            group.cancelAll()
        }
        try? execution.send(signal: .kill, toProcessGroup: true)
    }

    /// What the launcher is told, in one line.
    private func order(_ ports: (gate: Int, agent: Int)) -> [UInt8] {
        let (sources, environment) = places
        let variables = variables("127.0.0.1:\(ports.gate)", ports.agent, sources, environment)
        let command = [environment + "/bin/python", "-c", RuntimeEntry.source]
        let order = JSONValue.object([
            .init(name: "gate_socket", value: .string(gateSocket)),
            .init(name: "gate_port", value: .number(String(ports.gate))),
            .init(name: "agent_port", value: .number(String(ports.agent))),
            .init(name: "is_sandboxed", value: .bool(sandbox != nil)),
            .init(name: "grace_seconds", value: .number(String(max(1, configuration.stopTimeout.components.seconds)))),
            .init(name: "command", value: .array(command.map { .string($0) })),
            .init(
                name: "environment",
                value: .object(
                    variables.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: .string($0.value)) })),
        ])
        return Array(order.text.text.utf8) + [UInt8(ascii: "\n")]
    }

    private var places: (sources: String, environment: String) {
        sandbox == nil ? (bundle.sources, bundle.environment) : ("/bundle/src", "/bundle/venv")
    }

    private var gateSocket: String { sandbox == nil ? directory.gateSocket : "/run/sluice/gate.sock" }

    /// In a sandbox every port is free; without one, two that are free now.
    private func ports() throws(AgentRefusal) -> (gate: Int, agent: Int) {
        guard sandbox == nil else { return (Launcher.gatePort, Launcher.agentPort) }
        return (try FreePort.find(), try FreePort.find())
    }

    private var command: (Executable, [String]) {
        guard let sandbox else {
            return (.path(FilePath(bundle.environment + "/bin/python")), ["-I", directory.launcher])
        }
        var command = SandboxCommand(
            identity: sandbox.identity, host: sandbox.host,
            command: ["/bundle/venv/bin/python", "-I", "/run/sluice/launch.py"])
        command.limits = configuration.limits
        command.mounts =
            bundle.python.mounts + [
                .init(source: bundle.sources, target: "/bundle/src"),
                .init(source: bundle.environment, target: "/bundle/venv"),
                .init(source: directory.launcher, target: "/run/sluice/launch.py"),
                .init(source: directory.gateSocket, target: "/run/sluice/gate.sock"),
            ]
        return (.name(sandbox.program), command.arguments)
    }

    private static func text(_ status: TerminationStatus) -> String {
        switch status {
        case .exited(let code): "it ended with exit code \(code)"
        case .signaled(let number): "it was ended by signal \(number)"
        }
    }
}
