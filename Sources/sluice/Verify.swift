import ArgumentParser
import Audit
import Daemon
import Domain
import EventStreaming

struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check an export or a receipt with nothing but the file and the log's key.",
        discussion: """
            Exits with 1 when the file does not prove what it says. The key is what `sluice audit key` shows: have it from \
            somebody you trust, not with the file.
            """)

    @Argument(help: "The file, or - for standard input.") var file: String
    @Option(help: "The log's key, or a file with it.") var key: String
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        try await reporting {
            var verifier = AuditVerifier(key: try readKey(key))
            let input = try TextFile(file)
            let report: AuditVerifier.Report
            do {
                report = try verifier.verify { try input.nextLine() }
            } catch let failure as AuditVerifier.Failure {
                show(json ? Self.document(failure).text : "NOT PROVEN \(failure.description)")
                throw ExitCode(1)
            }
            show(json ? Self.document(report).text : Self.text(report))
        }
    }

    private static func text(_ report: AuditVerifier.Report) -> String {
        var lines = ["proven: \(report.events) events of \(report.origin), under a checkpoint of \(report.treeSize)"]
        if let first = report.firstPosition, let last = report.lastPosition {
            let run = report.runID.map { " of run \($0)" } ?? ""
            let start = report.decision != nil || report.beginsAtStart ? "" : ", not from the run's beginning"
            lines.append("positions \(first) to \(last)\(run)\(start)")
        }
        if report.signatures > 0 {
            lines.append("\(report.signatures) decisions signed with SSH keys, each as it is recorded")
        }
        if report.uncheckedSignatures > 0 {
            lines.append(
                "\(report.uncheckedSignatures) signatures not checked: what they are of stands before the file's beginning, or was erased"
            )
        }
        if !report.cosigners.isEmpty { lines.append("also signed by \(report.cosigners.joined(separator: ", "))") }
        if let decision = report.decision { lines.append("decision: \(decision.text)") }
        return lines.joined(separator: "\n")
    }

    private static func document(_ report: AuditVerifier.Report) -> JSONText {
        .object { json in
            json.add("proven", true)
            json.add("events", report.events)
            json.add("origin", report.origin)
            json.add("tree_size", report.treeSize)
            json.add("run_id", report.runID)
            json.add("first_position", report.firstPosition)
            json.add("last_position", report.lastPosition)
            json.add("begins_at_start", report.beginsAtStart)
            json.add("cosigners", report.cosigners)
            json.add("signatures", report.signatures)
            json.add("unchecked_signatures", report.uncheckedSignatures)
            json.add("decision", report.decision)
        }
    }

    private static func document(_ failure: AuditVerifier.Failure) -> JSONText {
        .object { json in
            json.add("proven", false)
            json.add("line", failure.line)
            json.add("reason", failure.reason)
        }
    }
}
