import ArgumentParser
import Daemon
import Domain
import EventLog
import EventStreaming

struct Log: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check and read the event log.", subcommands: [Verify.self, Cat.self, Stats.self])

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check every byte of the log.", discussion: "Exits with 1 when anything is not as it was written."
        )

        @OptionGroup var directory: DataDirectoryOption
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await reporting {
                let report = try await checkedLog(directory)
                show(json ? report.json : report.summary)
                for problem in report.problems where !json { show("PROBLEM \(problem.description)") }
                if !report.problems.isEmpty { throw ExitCode(1) }
            }
        }
    }

    struct Stats: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show sizes and counts.")

        @OptionGroup var directory: DataDirectoryOption
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await reporting {
                let report = try await checkedLog(directory)
                show(json ? report.json : report.summary)
            }
        }
    }

    struct Cat: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print events, one JSON object a line.")

        @OptionGroup var directory: DataDirectoryOption
        @Option(help: "The first position to print.") var from: UInt64 = 1
        @Option(help: "How many to print.") var limit: Int?

        func run() async throws {
            try await reporting {
                var rest = limit ?? .max
                try await directory.inspection().forEachEvent(from: from) { recorded in
                    guard rest > 0 else { return false }
                    show(EventDocument.json(recorded).text)
                    rest -= 1
                    return true
                }
            }
        }
    }
}

/// Checks the whole log, and shows how far that has come.
private func checkedLog(_ directory: DataDirectoryOption) async throws -> LogVerifier.Report {
    var line = ProgressLine("checking the log")
    defer { line.clear() }
    return try await directory.inspection().verify { line.show($0, of: $1) }
}

extension LogVerifier.Report {
    var summary: String {
        """
        events \(records), frames \(frames), segments \(segments), bytes stored \(storedBytes), bytes raw \(rawBytes)
        \(prunedText)Merkle root \(rootHash)
        \(problems.isEmpty ? "no problems" : "\(problems.count) problems")
        """
    }

    /// Nothing of it where nothing is pruned.
    private var prunedText: String {
        prunedRecords == 0
            ? "" : "pruned \(prunedRecords): of these events, whose runs have expired, the hashes are kept\n"
    }

    var json: String {
        var json = JSONObject()
        json.add("records", records)
        json.add("pruned_records", prunedRecords)
        json.add("frames", frames)
        json.add("segments", segments)
        json.add("stored_bytes", storedBytes)
        json.add("raw_bytes", rawBytes)
        json.add("root_hash", rootHash)
        json.add("problems", problems.map(\.description))
        return json.finished().text
    }
}
