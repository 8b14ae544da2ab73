import ArgumentParser
import Daemon
import Domain
import Foundation
import SystemPackage

struct SecretsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secrets", abstract: "List, set and delete sealed secrets; rotate the master key.",
        discussion: "The admin's or operator's key that the daemon asks for is read from SLUICE_API_KEY.",
        subcommands: [List.self, Set.self, Delete.self, KeyringKeys.self, RotateMasterKey.self, CheckMasterKey.self])

    /// `tool/stripe`: whose secret it is.
    struct Owner: ExpressibleByArgument {
        let kind: String
        let name: String

        init?(argument: String) {
            let parts = argument.split(separator: "/", maxSplits: 1).map(String.init)
            guard parts.count == 2, ["agent", "tool", "model_provider", "identity_provider"].contains(parts[0]),
                !parts[1].isEmpty
            else {
                return nil
            }
            (kind, name) = (parts[0], parts[1])
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the names of secrets; values are never shown.")

        @OptionGroup var connection: Keys.Connection
        @Flag(help: "Print JSON, a line a secret.") var json = false

        func run() async throws {
            try await reporting {
                guard case .array(let secrets) = try await connection.client().request("GET", "/api/v1/secrets") else {
                    throw DaemonError(.requestRefused, "the daemon's answer is no list of secrets")
                }
                for secret in secrets {
                    let words = ["owner_kind", "owner", "name", "updated_at"].map { secret[$0]?.string ?? "-" }
                    show(json ? secret.text.text : "\(words[0])/\(words[1])  \(words[2])  \(words[3])")
                }
            }
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Seal a value read from standard input; one line feed at its end does not count.")

        @OptionGroup var connection: Keys.Connection
        @Argument(help: "The secret's name, such as api_key or a variable's name.") var name: String
        @Option(help: "Whose it is: tool/NAME, agent/NAME, model_provider/NAME or identity_provider/NAME.") var owner:
            Owner

        func run() async throws {
            try await reporting {
                let value = try Self.value()
                guard !value.isEmpty else {
                    throw DaemonError(.configuration, "the value on standard input is empty or is no UTF-8 text")
                }
                let members = [
                    ("owner_kind", owner.kind), ("owner", owner.name), ("name", name), ("value", value),
                ].map { JSONValue.Member(name: $0, value: .string($1)) }
                _ = try await connection.client().request("POST", "/api/v1/secrets", .object(members))
                show("sealed \(name) of \(owner.kind)/\(owner.name)")
            }
        }

        private static func value() throws -> String {
            var bytes: [UInt8] = []
            var part = [UInt8](repeating: 0, count: 4096)
            while bytes.count <= 65_536 {
                let count = try part.withUnsafeMutableBytes { try FileDescriptor.standardInput.read(into: $0) }
                guard count > 0 else { break }
                bytes += part[..<count]
            }
            if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
            return String(validating: bytes, as: UTF8.self) ?? ""
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete a secret and destroy its key, so that it cannot be opened again, not even from the log.")

        @OptionGroup var connection: Keys.Connection
        @Argument(help: "The secret's name, as list shows it.") var name: String
        @Option(help: "Whose it is: tool/NAME, agent/NAME, model_provider/NAME or identity_provider/NAME.") var owner:
            Owner

        func run() async throws {
            try await reporting {
                let path = [owner.kind, owner.name, name].map(\.percentEncoded).joined(separator: "/")
                _ = try await connection.client().request("DELETE", "/api/v1/secrets/\(path)")
                show("deleted \(name) of \(owner.kind)/\(owner.name)")
            }
        }
    }

    struct KeyringKeys: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "keyring", abstract: "Count the keys of the keyring by kind; the daemon may run.",
            discussion: "Needs no master key. A key is 256 bytes in each of the keyring's two files.")

        @OptionGroup var directory: DataDirectoryOption
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await reporting {
                let lines = try KeyringCount(dataDirectory: directory.dataDirectory).run()
                guard json else {
                    for (name, number) in lines { show("\(name)  \(number)") }
                    return
                }
                show("{" + lines.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}")
            }
        }
    }

    struct CheckMasterKey: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check that a kept copy of the master key fits the keyring; the daemon may run.",
            discussion: "Exits with 1 when it does not. Nothing of a key is shown.")

        @Argument(help: "The file with the copy.") var file: String
        @OptionGroup var directory: DataDirectoryOption

        func run() async throws {
            try await reporting {
                let (opened, problems) = try MasterKeyCheck(dataDirectory: directory.dataDirectory).run(file)
                for problem in problems { show("PROBLEM \(problem)") }
                guard problems.isEmpty else { throw ExitCode(1) }
                show("\(file) is the master key of \(directory.dataDirectory): it opens all \(opened) keys")
            }
        }
    }

    struct RotateMasterKey: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Wrap every key under a new master key; the daemon must be stopped.",
            discussion: """
                The new master key takes the place of the old one in its file. With SLUICE_MASTER_KEY set, that is the \
                current key and SLUICE_NEW_MASTER_KEY the new one.
                """)

        @OptionGroup var directory: DataDirectoryOption

        func run() async throws {
            try await reporting {
                let settings = try await Settings.load(flags: [:], file: nil)
                let successor = ProcessInfo.processInfo.environment["SLUICE_NEW_MASTER_KEY"]
                let count = try MasterKeyRotation(dataDirectory: directory.dataDirectory, settings)
                    .rotate(to: successor)
                show("the master key is new; it wraps \(count) keys")
            }
        }
    }
}
