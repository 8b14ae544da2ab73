import Audit

/// How the log's tree is signed, by whom else, and whose logs are signed here.
struct AuditConfiguration: Sendable {
    /// How often a checkpoint is signed when nobody asks for one.
    let interval: Duration
    let witnesses: [(verifier: NoteVerifier, url: String)]
    let witnessedLogs: [NoteVerifier]

    init(_ settings: Settings) throws(DaemonError) {
        interval = try settings.duration(.checkpointInterval)
        var witnesses: [(verifier: NoteVerifier, url: String)] = []
        for entry in settings.text(.witnesses).split(separator: ",") {
            let words = entry.split(separator: " ")
            guard words.count == 2, let verifier = NoteVerifier(words[0]), verifier.kind == .cosignature,
                words[1].hasPrefix("https://") || words[1].hasPrefix("http://")
            else {
                throw settings.invalid(.witnesses, "KEY URL, and more of them after commas; the key one that cosigns")
            }
            witnesses.append((verifier, String(words[1])))
        }
        self.witnesses = witnesses
        var logs: [NoteVerifier] = []
        for entry in settings.text(.witnessLogs).split(whereSeparator: { $0 == "," || $0 == " " }) {
            guard let verifier = NoteVerifier(entry), verifier.kind == .note else {
                throw settings.invalid(.witnessLogs, "keys of logs, NAME+ID+KEY, with commas between")
            }
            logs.append(verifier)
        }
        witnessedLogs = logs
    }
}
