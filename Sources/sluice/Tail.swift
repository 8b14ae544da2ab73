import ArgumentParser
import Daemon
import Domain
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

struct Tail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the events of a running daemon as they are recorded, a line each.",
        discussion: """
            It goes on after a restart of the daemon, where it was. Colours are shown on a terminal, unless NO_COLOR is \
            set. The key that this needs is read from SLUICE_API_KEY.
            """)

    @OptionGroup var connection: Keys.Connection
    @Option(help: "The id of the one run to show.") var run: String?
    @Option(help: "The one agent whose runs to show.") var agent: String?
    @Option(help: "A type of events, such as run.created; may be given more than once.") var type: [String] = []
    @Option(help: "The workspace; the key's own when left out.") var workspace: String?
    @Flag(help: "Show calls that were denied, and payloads that are not the approved ones.") var security = false
    @Option(help: "A position: begin with what came after it, not with what comes now.") var since: UInt64?
    @Flag(help: "Print JSON, a line an event.") var json = false

    func validate() throws {
        // What the daemon takes for two types, or for another parameter's end, is no type's name.
        let isName = { (character: Character) in character.isASCII && (character.isLetter || "_.-".contains(character))
        }
        guard type.allSatisfy({ !$0.isEmpty && $0.allSatisfy(isName) }) else {
            throw ValidationError("--type must be the name of a type, such as run.created")
        }
        if let run, RunID(run) == nil { throw ValidationError("--run must be a run's id") }
        if let workspace, WorkspaceName(workspace) == nil {
            throw ValidationError("--workspace must be the name of a workspace")
        }
        if let since, since > UInt64(Int64.max) { throw ValidationError("--since must be a position") }
    }

    func run() async throws {
        try await reporting {
            var selection = EventTail.Selection()
            selection.runID = run.flatMap { RunID($0) }
            selection.workspace = workspace.flatMap { WorkspaceName($0) }
            selection.agent = agent
            selection.types = type + (security ? SecurityEventTypes.recorded : [])
            // A reader that has gone away is seen by the failed write.
            signal(SIGPIPE, SIG_IGN)
            let style = EventLine(isColoured: Self.isColoured)
            let isJSON = json
            try await EventTail(try await connection.client(), selection).run(after: since) { text in
                _ = try? FileDescriptor.standardError.writeAll(("sluice: " + text + "\n").utf8)
            } take: { event in
                let line = isJSON ? event.data : style.text(event.data)
                return (try? FileDescriptor.standardOutput.writeAll((line + "\n").utf8)) != nil
            }
        }
    }

    /// On a terminal that knows colours, unless somebody asks for none (https://no-color.org).
    private static var isColoured: Bool {
        func variable(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
        return isatty(FileDescriptor.standardOutput.rawValue) == 1 && variable("NO_COLOR").isEmpty
            && variable("TERM") != "dumb"
    }
}
