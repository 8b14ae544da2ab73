import Execution
import Testing

@Suite struct SandboxCommandTests {
    private func command(_ identity: SandboxCommand.Identity) -> SandboxCommand {
        var host = HostLayout()
        host.parts = ["/bin": .link("usr/bin"), "/lib64": .directory]
        host.configuration = ["/etc/ssl/certs"]
        var command = SandboxCommand(identity: identity, host: host, command: ["/bundle/venv/bin/python", "x"])
        command.mounts = [.init(source: "/data/bundles/1/src", target: "/bundle/src")]
        return command
    }

    /// The values that follow each appearance of an option.
    private func values(_ option: String, _ count: Int, _ arguments: [String]) -> [[String]] {
        arguments.indices.filter { arguments[$0] == option }.map { Array(arguments[($0 + 1)...].prefix(count)) }
    }

    @Test(arguments: [SandboxCommand.Identity.mapped, .dropped])
    func separatesEveryNamespace(identity: SandboxCommand.Identity) {
        let arguments = command(identity).arguments
        for option in ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--die-with-parent"] {
            #expect(arguments.contains(option))
        }
        #expect(arguments.contains("--clearenv") && arguments.contains("--new-session"))
        #expect(values("--cap-drop", 1, arguments) == [["ALL"]])
    }

    @Test func showsWhatIsNamedAndNothingElse() {
        let arguments = command(.mapped).arguments
        #expect(
            values("--ro-bind", 2, arguments) == [
                ["/usr", "/usr"], ["/lib64", "/lib64"], ["/etc/ssl/certs", "/etc/ssl/certs"],
                ["/data/bundles/1/src", "/bundle/src"],
            ])
        #expect(values("--symlink", 2, arguments) == [["usr/bin", "/bin"]])
        #expect(values("--bind", 2, arguments).isEmpty)
        #expect(values("--remount-ro", 1, arguments) == [["/proc"], ["/dev"], ["/"]])
    }

    @Test func hidesWhatTheOperatorInstalled() {
        var command = command(.mapped)
        #expect(!command.arguments.contains("/usr/local"))
        command.host.hidesLocal = true
        #expect(values("--tmpfs", 1, command.arguments).contains(["/usr/local"]))
        #expect(values("--remount-ro", 1, command.arguments).first == ["/usr/local"])
    }

    @Test func entersItsGroupAndTheOrderOfVictimsFirst() throws {
        let (program, arguments) = SandboxEntry.command("bwrap", ["--unshare-net", "a b"], in: nil)
        #expect(program == "/bin/sh" && Array(arguments.suffix(3)) == ["bwrap", "--unshare-net", "a b"])
        #expect(arguments[1].contains("echo 1000 >/proc/self/oom_score_adj") && arguments[2].isEmpty)
    }

    @Test func findsNoControlGroupsWhereVersionTwoIsNotMounted() {
        #expect(throws: AgentRefusal("control groups of version 2 are not mounted at /proc/self")) {
            try ControlGroups.find(hierarchy: "/proc/self", membership: "0::/\n")
        }
    }

    @Test func limitsAllWritableDirectoriesTogether() {
        var command = command(.mapped)
        command.limits.scratchBytesMax = 12_347
        let arguments = command.arguments
        let sizes = values("--size", 3, arguments)
        #expect(sizes == [["3086", "--tmpfs", "/dev/shm"], ["9261", "--tmpfs", "/tmp"]])
    }

    @Test func becomesNobodyBeforeTheLimitsAndTheCommand() throws {
        let arguments = command(.dropped).arguments
        #expect(!arguments.contains("--unshare-user"))
        let steps = try ["/usr/bin/setpriv", "/usr/bin/unshare", "/usr/bin/prlimit", "/bundle/venv/bin/python"].map {
            try #require(arguments.firstIndex(of: $0))
        }
        #expect(steps == steps.sorted())
        #expect(values("--reuid", 1, arguments) == [["65534"]])
    }

    @Test func mapsTheDaemonsUserToNobody() {
        let arguments = command(.mapped).arguments
        #expect(arguments.contains("--unshare-user"))
        #expect(values("--uid", 1, arguments) == [["65534"]])
        #expect(!arguments.contains("/usr/bin/setpriv"))
    }
}
