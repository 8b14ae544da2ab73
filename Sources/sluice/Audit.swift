import ArgumentParser
import Audit
import Daemon
import Domain
import Foundation
import SystemPackage

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Have a running daemon prove what its log says.",
        discussion: "The key that this needs is read from SLUICE_API_KEY; one of role viewer is enough.",
        subcommands: [Key.self, CheckpointCommand.self, Consistency.self, ReceiptCommand.self])

    struct Key: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the key that checkpoints are signed with: keep it where the operator cannot change it.")

        @OptionGroup var connection: Keys.Connection
        @Flag(help: "Show the key that this daemon signs others' checkpoints with.") var witness = false

        func run() async throws {
            try await reporting {
                let text = try await connection.client().text("/audit/key").trimmed
                guard witness else { return show(text) }
                guard let key = NoteVerifier(text) else { throw DaemonError(.requestRefused, "the answer is no key") }
                show(key.cosigning.text)
            }
        }
    }

    struct CheckpointCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "checkpoint", abstract: "Show a signed head of the log as it is now.")

        @OptionGroup var connection: Keys.Connection

        func run() async throws {
            try await reporting { show(try await connection.client().text("/audit/checkpoint").trimmed) }
        }
    }

    struct Consistency: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check that the log still begins with what an older checkpoint was signed for.",
            discussion: "Exits with 1 when it does not: history was changed. Prints the new checkpoint when it does.")

        @Argument(help: "The file of the older checkpoint.") var file: String
        @Option(help: "The log's key, or a file with it.") var key: String
        @OptionGroup var connection: Keys.Connection

        func run() async throws {
            try await reporting {
                let verifier = try readKey(key)
                let (old, oldNote) = try Self.checkpoint(try TextFile(file).text(), verifier, file)
                let client = try await connection.client()
                guard old.size > 0 else { throw DaemonError(.configuration, "\(file) is of an empty log") }
                let (new, newNote) = try Self.checkpoint(
                    try await client.text("/audit/checkpoint"), verifier, "the daemon's answer")
                guard new.size >= old.size else {
                    show("CHANGED the log has \(new.size) events, and had \(old.size)")
                    throw ExitCode(1)
                }
                let answer = try await client.request(
                    "GET", "/audit/proof/consistency?from=\(old.size)&to=\(new.size)")
                guard ConsistencyProof(answer)?.leads(from: old, to: new) == true else {
                    show("CHANGED the first \(old.size) events are not those that were signed")
                    for note in [oldNote, newNote] { show(note.note.trimmed) }
                    throw ExitCode(1)
                }
                show(newNote.note.trimmed)
            }
        }

        private static func checkpoint(
            _ text: String, _ key: NoteVerifier, _ source: String
        ) throws(DaemonError) -> (Checkpoint, SignedNote) {
            guard let note = SignedNote(text.trimmed + "\n"), let checkpoint = Checkpoint(note.text) else {
                throw DaemonError(.configuration, "\(source) is no checkpoint")
            }
            guard key.isSigned(note) else {
                throw DaemonError(.configuration, "\(source) is not signed with \(key.text)")
            }
            return (checkpoint, note)
        }
    }

    struct ReceiptCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "receipt", abstract: "Print the receipt of what was decided on an action.")

        @Option(help: "The run's id.") var run: String
        @Option(help: "The action's id.") var action: String
        @OptionGroup var connection: Keys.Connection

        func run() async throws {
            try await reporting {
                guard RunID(run) != nil, ActionID(action) != nil else {
                    throw DaemonError(.configuration, "--run and --action must be ids")
                }
                let path = "/runs/\(run)/actions/\(action)/receipt"
                show(try await connection.client().request("GET", path).text.text)
            }
        }
    }
}

/// The log's key as text, or in a file.
func readKey(_ argument: String) throws(DaemonError) -> NoteVerifier {
    if let key = NoteVerifier(argument) { return key }
    guard let key = NoteVerifier(try TextFile(argument).text().trimmed), key.kind == .note else {
        throw DaemonError(.configuration, "\(argument) is neither a log's key nor a file with one")
    }
    return key
}

extension String {
    var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
