import Domain
import Execution
import Testing

/// What an image runs, and what its container may do.
@Suite struct ContainerTests {
    private func command(
        user: String = "", limits: SandboxLimits = SandboxLimits(), addsWritableMemory: Bool = true
    ) -> [String] {
        ContainerCommand(
            name: "sluice-1", image: AgentImage(id: "sha256:1", command: ["agent"], user: user), limits: limits,
            launcher: "/run/l.py", modules: "/run/modules", gateSocket: "/run/gate.sock", offerSocket: "/run/1.offer",
            addsWritableMemory: addsWritableMemory
        ).arguments
    }

    private func value(of option: String, in arguments: [String]) -> [String] {
        arguments.indices.filter { arguments[$0] == option }.map { arguments[$0 + 1] }
    }

    @Test func hasNoNetworkNoRightsAndNothingToWriteButMemory() {
        let arguments = command()
        #expect(value(of: "--network", in: arguments) == ["none"])
        #expect(value(of: "--cap-drop", in: arguments) == ["all"])
        #expect(value(of: "--security-opt", in: arguments) == ["no-new-privileges"])
        #expect(arguments.contains("--read-only") && arguments.contains("--read-only-tmpfs=false"))
        #expect(!command(addsWritableMemory: false).contains("--read-only-tmpfs=false"))
        #expect(
            value(of: "--mount", in: arguments) == [
                "type=bind,source=/run/l.py,target=/run/sluice/launch.py,readonly",
                "type=bind,source=/run/modules,target=/run/sluice/modules,readonly",
                "type=bind,source=/run/gate.sock,target=/run/sluice/gate.sock",
                "type=bind,source=/run/1.offer,target=/run/sluice/offer.sock",
            ])
        #expect(!arguments.contains("--volume"))
        #expect(!arguments.contains("--privileged") && !arguments.contains("--publish"))
    }

    @Test func limitsTheContainerAsAWhole() {
        var limits = SandboxLimits()
        (limits.memoryBytesMax, limits.processesMax, limits.scratchBytesMax) = (1_000_000, 17, 2_000)
        let arguments = command(limits: limits)
        #expect(value(of: "--memory", in: arguments) == ["1000000"])
        #expect(value(of: "--pids-limit", in: arguments) == ["17"])
        #expect(value(of: "--tmpfs", in: arguments)[0].hasSuffix("size=1500"))
        #expect(value(of: "--shm-size", in: arguments) == ["500"])
    }

    @Test(arguments: [
        ("", "65534:65534"), ("root", "65534:65534"), ("0:0", "65534:65534"), ("root:app", "65534:65534"),
        ("1000:1000", "1000:1000"), ("app", "app"),
    ])
    func neverRunsAsRoot(user: String, runsAs: String) {
        #expect(value(of: "--user", in: command(user: user)) == [runsAs])
    }

    @Test func runsWhatTheImageSays() throws {
        let document = try JSONValue(
            parsing: Array(
                #"[{"Id": "sha256:7", "Config": {"Entrypoint": ["/entry"], "Cmd": ["a", "b"], "User": "app"}}]"#.utf8))
        let image = try #require(AgentImage(inspected: document))
        #expect(image == AgentImage(id: "sha256:7", command: ["/entry", "a", "b"], user: "app"))
        #expect(image.agentCommand == image.command)
        let runtime = AgentImage(id: "1", command: ["python3", "-m", "runagents.runtime"], user: "")
        #expect(runtime.agentCommand.first == "python3" && !runtime.agentCommand.contains("-m"))
        #expect(AgentImage(inspected: .array([])) == nil && AgentImage(inspected: .null) == nil)
    }
}
