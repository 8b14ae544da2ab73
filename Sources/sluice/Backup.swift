import ArgumentParser
import Daemon
import Domain
import EventStreaming

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy the log and the keyring to another place; check such a copy.",
        discussion: """
            The daemon may run meanwhile. The master key, which opens the secrets, is not copied: keep it elsewhere.
            """,
        subcommands: [Make.self, Verify.self], defaultSubcommand: Make.self)

    struct Make: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a backup; a directory that has one already gets what is new.")

        @Argument(help: "A directory for this log's backups alone.") var destination: String
        @OptionGroup var directory: DataDirectoryOption
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await reporting {
                var line = ProgressLine("copying the log")
                defer { line.clear() }
                let outcome = try Backup(dataDirectory: directory.dataDirectory, destination: destination)
                    .run { line.show($0, of: $1) }
                line.clear()
                let manifest = outcome.manifest
                show(
                    json
                        ? manifest.summary { json in
                            json.add("copied_segments", outcome.copiedSegments)
                            json.add("copied_bytes", outcome.copiedBytes)
                        }
                        : """
                        backed up to position \(manifest.position): copied \(outcome.copiedSegments) of \
                        \(manifest.segments.count) segments, \(outcome.copiedBytes) bytes
                        Merkle root \(manifest.rootHash)
                        """)
            }
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check every byte of a backup.",
            discussion: """
                With --master-key it is proved as well that a kept copy of the master key opens every key, and that the \
                keyring has every key that the log needs. Exits with 1 when anything is not as it should be.
                """
        )

        @Argument(help: "The directory of the backup.") var destination: String
        @Option(name: .customLong("master-key"), help: "A copy of the master key, to check that it fits.")
        var masterKeyFile: String?
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            try await reporting {
                var line = ProgressLine("checking the backup")
                defer { line.clear() }
                let report = try BackupVerification(destination).run(masterKeyFile: masterKeyFile) {
                    line.show($0, of: $1)
                }
                line.clear()
                let (manifest, problems) = (report.manifest, report.problems)
                show(
                    json
                        ? manifest.summary { json in
                            json.add("problems", problems)
                            json.add("opened_keys", report.openedKeys)
                        }
                        : """
                        backup of \(manifest.takenAt) to position \(manifest.position), bytes \(manifest.byteCount)
                        Merkle root \(manifest.rootHash)
                        \(problems.isEmpty ? "no problems" : "\(problems.count) problems")
                        """)
                if let count = report.openedKeys, problems.isEmpty, !json {
                    show("the master key opens all \(count) keys, and the log needs no other")
                }
                for problem in problems where !json { show("PROBLEM \(problem)") }
                if !problems.isEmpty { throw ExitCode(1) }
            }
        }
    }
}

struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a data directory of a backup.",
        discussion: """
            The whole backup is checked before anything is written. With --until, the log ends with the last command \
            that was wholly recorded at that position or time. Put the master key beside it before the daemon starts.
            """)

    @Argument(help: "The directory of the backup.") var source: String
    @Option(name: .customLong("data-dir"), help: "The new data directory: empty, or not there yet.")
    var dataDirectory: String
    @Option(help: "A position, or an RFC 3339 time; everything when left out.") var until: String?
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        if until != nil, point == nil { throw ValidationError("--until must be a position or an RFC 3339 time") }
    }

    func run() async throws {
        try await reporting {
            var line = ProgressLine("restoring")
            defer { line.clear() }
            let outcome = try Restoration(source, to: dataDirectory).run(until: point ?? .newest) {
                line.show($0, of: $1)
            }
            line.clear()
            guard !json else {
                return show(
                    JSONText.object { json in
                        json.add("position", outcome.position)
                        json.add("root_hash", outcome.rootHash)
                        json.add("keyring", outcome.hasKeyring)
                    }.text)
            }
            show("restored to position \(outcome.position)\nMerkle root \(outcome.rootHash)")
            if outcome.hasKeyring { show("the secrets need their master key: put it into \(dataDirectory)/master.key") }
        }
    }

    private var point: RestorePoint? {
        guard let until else { return nil }
        if let position = UInt64(until) { return .position(position) }
        return Timestamp(rfc3339: until).map(RestorePoint.time)
    }
}

extension BackupManifest {
    fileprivate func summary(_ more: (inout JSONObject) -> Void) -> String {
        JSONText.object { json in
            json.add("taken_at", takenAt)
            json.add("position", position)
            json.add("root_hash", rootHash)
            json.add("segments", segments.count)
            json.add("bytes", byteCount)
            more(&json)
        }.text
    }
}
