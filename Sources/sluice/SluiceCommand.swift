import ArgumentParser
import Daemon
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The process's entry.
@main
enum Main {
    /// Files and directories that any command makes belong to its user alone.
    static func main() async {
        umask(0o077)
        if InitProcess.isNeeded(CommandLine.arguments) { InitProcess.run() }
        SignalDispositions.prepare(CommandLine.arguments)
        await SluiceCommand.main()
    }
}

struct SluiceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sluice", abstract: "A self-hosted, event-sourced run orchestrator for AI agents.",
        discussion: """
            Exit codes: 0 success; 1 a check found a problem; 3 and 4 see `policy explain`; 64 wrong usage; 65 the log, the read models or a backup cannot be used; \
            66 nothing found; 69 the daemon cannot be reached, or its address cannot be used; 70 anything else; \
            73 the directory cannot be used; 75 the directory is in use; 76 the daemon refused a request; \
            77 not permitted; 78 wrong configuration.
            """,
        version: SluiceVersion.text,
        subcommands: [
            Serve.self, Agents.self, Approvals.self, Approve.self, Reject.self, Keys.self,
            Policies.self, Runs.self, Tools.self, Workspaces.self, SecretsCommand.self, Spend.self, Export.self,
            Import.self, AuditCommand.self, Verify.self,
            Log.self, Replay.self, Diff.self, Tail.self,
            BackupCommand.self, Clock.self, Erase.self,
            Restore.self,
            ProjectionsCommand.self, Version.self,
        ])
}

/// Shows a line on standard output.
func show(_ text: String) { write(text, to: .standardOutput) }

/// What a person has to read who is asked for something; data goes to standard output.
func tell(_ text: String) {
    // A daemon that fails has to end, whether or not its output is read.
    var request = pollfd(fd: FileDescriptor.standardError.rawValue, events: Int16(POLLOUT), revents: 0)
    guard poll(&request, 1, 1000) > 0 else { return }
    write(text, to: .standardError)
}

private func complain(_ text: String) { tell("sluice: " + text) }

/// Nothing can be told to a reader that has gone away, so a failed write is dropped.
private func write(_ text: String, to output: FileDescriptor) { _ = try? output.writeAll((text + "\n").utf8) }

/// Runs a command's body and turns a known failure into its message and exit code.
func reporting(_ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let error as DaemonError {
        complain(error.description)
        throw ExitCode(error.code.exitCode)
    } catch let error as ExitCode {
        throw error
    } catch {
        complain("\(error)")
        throw ExitCode(70)
    }
}

struct Version: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show the version.")

    @Flag(help: "Print JSON.") var json = false

    func run() { show(json ? "{\"version\":\"\(SluiceVersion.text)\"}" : "sluice \(SluiceVersion.text)") }
}

struct DataDirectoryOption: ParsableArguments {
    @Option(name: .customLong("data-dir"), help: "The data directory.") var dataDirectory = "sluice-data"

    /// What looks into the log there; SLUICE_MASTER_KEY and SLUICE_MASTER_KEY_FILE count as for the daemon.
    func inspection() async throws -> LogInspection {
        try LogInspection(dataDirectory: dataDirectory, try await Settings.load(flags: [:], file: nil))
    }
}
