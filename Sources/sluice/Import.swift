import ArgumentParser
import Daemon
import Domain

struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print what a workspace of a running daemon has, without secrets, for `sluice import`.",
        discussion: """
            The key that this needs is read from SLUICE_API_KEY; agents' sources are there for an operator's or admin's.
            """)

    @OptionGroup var connection: Keys.Connection

    func run() async throws {
        try await reporting { show(try await ContextImport.export(try await connection.client()).text.text) }
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
                document = try JSONValue(parsing: try InputFile.read(file, bytesMax: Self.bytesMax))
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
