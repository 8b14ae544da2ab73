import ArgumentParser
import Daemon
import Domain
import EventStreaming
import Logging

struct Replay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fold the log again and show what was true.",
        discussion: """
            With --run, the run's events; with --until, what was unfinished at a position or an RFC 3339 time. With \
            --run and --step, what the run was after each event: Enter shows the next one, e the event in full, q ends \
            it; all of it at once where standard input is no terminal.
            """)

    @OptionGroup var directory: DataDirectoryOption
    @Option(help: "The id of a run.") var run: String?
    @Option(help: "A position, or an RFC 3339 time.") var until: String?
    @Flag(help: "Show the run's state after each of its events.") var step = false

    func validate() throws {
        guard run != nil || until != nil else { throw ValidationError("give --run ID, --until POSITION|TIME, or both") }
        if step, run == nil { throw ValidationError("--step needs --run ID") }
        if let run, RunID(run) == nil { throw ValidationError("--run must be a run's id") }
        if let until, UInt64(until) == nil, Timestamp(rfc3339: until) == nil {
            throw ValidationError("--until must be a position or an RFC 3339 time")
        }
    }

    func run() async throws {
        try await reporting {
            guard let run = run.flatMap({ RunID($0) }) else { return try await showUnfinished() }
            try await showEvents(of: run)
        }
    }

    private func includes(_ recorded: RecordedEvent) -> Bool {
        until.flatMap { Moment(argument: $0) }?.includes(recorded) ?? true
    }

    private func showEvents(of run: RunID) async throws {
        var line = ProgressLine("looking for the run")
        defer { line.clear() }
        let events = try await directory.inspection().events(of: run) { line.show($0, of: $1) }.filter(includes)
        line.clear()
        guard !events.isEmpty else { throw DaemonError(.notFound, "run \(run) is not in the log") }
        var (state, steps) = (ActiveState(), ReplaySteps())
        for recorded in events {
            guard step else {
                show(EventDocument.json(recorded).text)
                continue
            }
            state.evolve(recorded.event)
            guard steps.present(recorded, state.runs[run]) else { return }
        }
    }

    private func showUnfinished() async throws {
        var (state, last) = (ActiveState(), Position.zero)
        try await directory.inspection().forEachEvent { recorded in
            guard includes(recorded) else { return false }
            state.evolve(recorded.event)
            last = recorded.position
            return true
        }
        showSummary(state, last)
    }

    private func showSummary(_ state: ActiveState, _ last: Position) {
        var json = JSONObject()
        json.add("position", last.value)
        let runs = state.runs.values.sorted { $0.id < $1.id }.map { run in
            JSONText.object { json in
                json.add("id", run.id.description)
                json.add("agent_id", run.agentID)
                json.add("status", run.status.rawValue)
                json.add("timeline_length", run.timelineSequence)
            }
        }
        json.add("unfinished_runs", runs)
        json.add("open_access_requests", state.accessRequests.count)
        json.add("resources", state.resources.count)
        json.add("api_keys", state.apiKeys.count)
        show(json.finished().text)
    }
}

struct ProjectionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "projections", abstract: "Look after the read models.", subcommands: [Rebuild.self])

    struct Rebuild: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete the read models and rebuild them from the log; the daemon must be stopped.")

        @OptionGroup var directory: DataDirectoryOption

        func run() async throws {
            try await reporting {
                var logger = Logger(label: "sluice")
                logger.logLevel = .warning
                var line = ProgressLine("rebuilding")
                defer { line.clear() }
                let count = try await directory.inspection()
                    .rebuildProjections(logger: logger) { line.show($0, of: $1) }
                line.clear()
                show("rebuilt from \(count) events")
            }
        }
    }
}
