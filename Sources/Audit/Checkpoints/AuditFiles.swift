import Domain
import Foundation
import Secrets

/// The files of a log's proofs: its key, its newest checkpoint, and the last one of each day.
package struct AuditFiles: Sendable {
    private let directory: URL

    package init(_ directory: String) { self.directory = URL(fileURLWithPath: directory, isDirectory: true) }

    package var tiles: String { directory.appendingPathComponent("tile").path }

    /// What a witness has seen of other logs.
    var witnessed: URL { directory.appendingPathComponent("witnessed") }

    private var key: URL { directory.appendingPathComponent("checkpoint.key") }
    private var newest: URL { directory.appendingPathComponent("checkpoint") }
    private var days: URL { directory.appendingPathComponent("checkpoints") }

    /// The log's key, made when there is none.
    func signer() throws(AuditError) -> NoteSigner {
        do {
            try FileManager.default.createDirectory(
                at: days, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            if FileManager.default.fileExists(atPath: key.path) {
                let text = try String(contentsOf: key, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
                guard let signer = NoteSigner(text) else {
                    throw AuditError.keyUnusable("\(key.path) is no key: put it back from a backup")
                }
                return signer
            }
            let signer = NoteSigner()
            try ProtectedFile.create(key.path, Array((signer.text + "\n").utf8))
            return signer
        } catch let error as AuditError {
            throw error
        } catch {
            throw .keyUnusable("the key of checkpoints cannot be kept in \(directory.path): \(error)")
        }
    }

    /// The number of events that the newest checkpoint of this log's key covers; 0 without one. Makes no file.
    package func signedSize() throws(AuditError) -> UInt64 {
        guard FileManager.default.fileExists(atPath: key.path) else { return 0 }
        return try newestCheckpoint(try signer().verifier)?.0.size ?? 0
    }

    /// What was signed last; `nil` when nothing was, or by another key.
    func newestCheckpoint(_ verifier: NoteVerifier) throws(AuditError) -> (Checkpoint, SignedNote)? {
        guard FileManager.default.fileExists(atPath: newest.path) else { return nil }
        guard let text = try? String(contentsOf: newest, encoding: .utf8), let note = SignedNote(text),
            let checkpoint = Checkpoint(note.text)
        else { throw .keyUnusable("\(newest.path) is no checkpoint: put it back from a backup, or remove it") }
        return verifier.isSigned(note) ? (checkpoint, note) : nil
    }

    /// Keeps what was signed last: durable on return, so that nothing that contradicts it is signed after a crash.
    func keep(_ note: SignedNote) throws(AuditError) { try write(note, to: newest) }

    /// Keeps it as the day's too, whose last one stays.
    ///
    /// - Parameter time: when it was signed.
    func keepForDay(_ note: SignedNote, at time: Timestamp) throws(AuditError) {
        try write(note, to: days.appendingPathComponent(String(time.description.prefix(10))))
    }

    private func write(_ note: SignedNote, to file: URL) throws(AuditError) {
        do {
            try ProtectedFile.create(file.path, Array(note.note.utf8))
        } catch {
            throw .tilesUnwritable(error.description)
        }
    }
}
