import ArgumentParser
import Audit
import Daemon
import Domain
import SystemPackage

extension ExportFormat: ExpressibleByArgument {}

struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Print what a workspace of a running daemon has, without secrets, for `sluice import`; or a run's events.",
        discussion: """
            The key that this needs is read from SLUICE_API_KEY; agents' sources are there for an operator's or admin's.
            """)

    @OptionGroup var connection: Keys.Connection
    @Option(help: "Print all events of this run instead, with the proofs that `sluice verify` checks.") var run: String?
    @Option(help: "With --run: json, ndjson, cloudevents, splunk-hec or ocsf.") var format: ExportFormat = .ndjson
    @Option(help: "With --run: only what is after this position, to go on with an export.") var after: UInt64?

    func run() async throws {
        try await reporting {
            let client = try await connection.client()
            guard let run else { return show(try await ContextImport.export(client).text.text) }
            guard RunID(run) != nil else { throw DaemonError(.configuration, "\(run) is no id of a run") }
            let from = after.map { "&after=\($0)" } ?? ""
            try await client.follow("/runs/\(run)/audit/export?format=\(format.rawValue)\(from)") { bytes in
                (try? FileDescriptor.standardOutput.writeAll(bytes)) != nil
            }
        }
    }
}

struct Import: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring what an export of a workspace has into a running daemon.",
        discussion: """
            The export is what GET /context/export or `sluice export` gave; - reads it from standard input. What is there already as \
            the export has it is left alone. Secrets are not in an export: those to give again are named at the end. The \
            admin's key that this needs is read from SLUICE_API_KEY.
            """)

    /// The largest file that is read.
    private static let bytesMax = 128 * 1024 * 1024

    @Argument(help: "The export, or - for standard input.") var file: String
    @OptionGroup var connection: Keys.Connection
    @Flag(name: .customLong("dry-run"), help: "Only say what would be done.") var dryRun = false
    @Flag(help: "Print JSON, a line a resource or missing secret.") var json = false

    func run() async throws {
        try await reporting {
            let document: JSONValue
            do {
                document = try JSONValue(parsing: try TextFile(file).bytes(max: Self.bytesMax))
            } catch let error as JSONError {
                throw DaemonError(.configuration, "\(file) is no JSON: \(error.message)")
            }
            let work = try ContextImport(document, into: try await connection.client(), isDryRun: dryRun)
            var failures = 0
            let missing = try await work.run { outcome in
                if outcome.action == .failed { failures += 1 }
                show(json ? Self.document(outcome).text.text : Self.line(outcome))
            }
            for secret in missing {
                show(json ? Self.document(secret).text.text : Self.line(secret))
            }
            guard failures == 0 else {
                throw DaemonError(
                    .requestRefused, "\(failures) of them were refused: mend what is said of each, import again")
            }
        }
    }

    private static func line(_ outcome: ContextImport.Outcome) -> String {
        "\(outcome.action.rawValue) \(outcome.kind)/\(outcome.name)" + (outcome.reason.map { ": \($0)" } ?? "")
    }

    private static func line(_ secret: ContextImport.MissingSecret) -> String {
        "give again: sluice secrets set '\(secret.name)' --owner '\(secret.owner)'"
    }

    private static func document(_ outcome: ContextImport.Outcome) -> JSONValue {
        var members = [
            JSONValue.Member(name: "action", value: .string(outcome.action.rawValue)),
            .init(name: "kind", value: .string(outcome.kind)), .init(name: "name", value: .string(outcome.name)),
        ]
        if let reason = outcome.reason { members.append(.init(name: "reason", value: .string(reason))) }
        return .object(members)
    }

    private static func document(_ secret: ContextImport.MissingSecret) -> JSONValue {
        .object([
            .init(name: "action", value: .string("give_again")), .init(name: "secret", value: .string(secret.name)),
            .init(name: "owner", value: .string(secret.owner)),
        ])
    }
}
