import Domain
import EventStreaming
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Shows a run event by event: what came, and what the run was after it.
struct ReplaySteps {
    private let isTerminal = isatty(FileDescriptor.standardInput.rawValue) == 1
    private var number = 0
    private var startTime: Timestamp?
    /// The run's end, which the writer forgets it with.
    private var end: RunStatusChanged?

    /// Shows one event, and at a terminal waits for the person at it.
    ///
    /// - Parameter run: the run after the event; `nil` when it has come to its end.
    /// - Returns: whether more is wanted.
    mutating func present(_ recorded: RecordedEvent, _ run: RunState?) -> Bool {
        number += 1
        let event = recorded.event
        let start = startTime ?? event.time
        startTime = start
        if case .runStatusChanged(let changed) = event.payload { end = changed }
        show("\(number). \(event.payload.typeName)  position \(recorded.position)  +\(elapsed(event.time, start))")
        show("   by \(event.actor.name) at \(event.time)")
        show(run.map(state) ?? ending)
        guard isTerminal else { return true }
        while let line = readLine() {
            switch line.lowercased() {
            case "": return true
            case "e": show(EventDocument.json(recorded).text)
            case "q": return false
            default: show("Enter: the next event; e: this one in full; q: the end")
            }
        }
        return false
    }

    private var ending: String {
        "   run is over" + (end.map { ": \($0.status.rawValue)" + ($0.reason.map { ", \($0)" } ?? "") } ?? "")
    }

    private func state(_ run: RunState) -> String {
        var lines = ["   run \(run.status.rawValue), timeline \(run.timelineSequence)"]
        if let invoke = run.lastInvoke {
            lines.append("   invoke attempt \(invoke.attempt), \(Self.text(invoke.stage))")
        }
        for action in run.actions {
            let call = [action.method, action.url].compactMap(\.self).joined(separator: " ")
            lines.append(
                "   action \(action.id) on \(action.toolID)\(call.isEmpty ? "" : " (\(call))"): \(action.status.rawValue)"
            )
        }
        let calls = Dictionary(grouping: run.calls.entries, by: \.stage).mapValues(\.count)
        let counted = ToolCallJournal.Entry.Stage.allCases.compactMap { stage in calls[stage].map { "\($0) \(stage)" } }
        if !counted.isEmpty { lines.append("   calls of tools: \(counted.joined(separator: ", "))") }
        return lines.joined(separator: "\n")
    }

    private static func text(_ stage: InvokeProgress.Stage) -> String {
        switch stage {
        case .open: "on its way"
        case .completed: "completed"
        case .failed(_, _, let error): "failed: \(error.excerpt)"
        }
    }

    private func elapsed(_ time: Timestamp, _ start: Timestamp) -> String {
        "\(time.since(start) / .milliseconds(1)) ms"
    }
}
