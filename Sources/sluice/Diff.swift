import ArgumentParser
import Daemon
import Domain
import EventStreaming

extension Moment: ExpressibleByArgument {
    init?(argument: String) {
        if let position = UInt64(argument) {
            self = .position(position)
        } else if let time = Timestamp(rfc3339: argument) {
            self = .time(time)
        } else {
            return nil
        }
    }
}

struct Diff: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what changed from one moment of the log to another.",
        discussion: """
            Moments are positions, or RFC 3339 times. What was changed and changed back is not shown. Reads the log, \
            which has no secret in clear text; may run beside the daemon.
            """)

    /// A value that is longer is shown by its length.
    private static let shownBytesMax = 200

    @OptionGroup var directory: DataDirectoryOption
    @Option(help: "The earlier moment.") var from: Moment
    @Option(help: "The later moment; the end of the log when left out.") var to: Moment?
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await reporting {
            var line = ProgressLine("looking for what was before")
            defer { line.clear() }
            let diff = try await directory.inspection().difference(from: from, to: to) { line.show($0, of: $1) }
            line.clear()
            show(json ? Self.json(diff).text : Self.text(diff))
        }
    }

    private static func text(_ diff: HistoryDiff) -> String {
        let count = diff.eventCounts.values.reduce(0, +)
        var lines = ["after position \(diff.start) through \(diff.position): \(count) events"]
        for change in diff.changes {
            let thing = change.thing
            let place = thing.workspace == .default ? "" : " in \(thing.workspace.text)"
            lines.append("\(change.kind.rawValue) \(thing.kind)/\(thing.name)\(place)")
            for field in change.fields {
                let (old, new) = (field.before.map(shown), field.after.map(shown))
                lines.append(
                    "    \(field.name): " + [old, new].compactMap(\.self).joined(separator: " -> ")
                        + (old != nil && new == nil ? " -> (none)" : ""))
            }
        }
        return lines.joined(separator: "\n")
    }

    private static func shown(_ value: JSONText) -> String {
        let bytes = value.text.utf8.count
        return bytes <= shownBytesMax ? value.text : "(\(bytes) bytes)"
    }

    private static func json(_ diff: HistoryDiff) -> JSONText {
        .object { json in
            json.add("after_position", diff.start.value)
            json.add("through_position", diff.position.value)
            json.add(
                "events",
                JSONText.object { types in
                    for (type, count) in diff.eventCounts.sorted(by: { $0.key < $1.key }) { types.add(type, count) }
                })
            json.add(
                "changes",
                diff.changes.map { change in
                    JSONText.object { json in
                        json.add("change", change.kind.rawValue)
                        json.add("kind", change.thing.kind)
                        json.add("workspace", change.thing.workspace.text)
                        json.add("name", change.thing.name)
                        json.add(
                            "fields",
                            change.fields.map { field in
                                JSONText.object { json in
                                    json.add("field", field.name)
                                    json.add("before", field.before)
                                    json.add("after", field.after)
                                }
                            })
                    }
                })
        }
    }
}
