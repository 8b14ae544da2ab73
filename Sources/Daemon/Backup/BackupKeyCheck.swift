import EventLog
import EventStore
import Secrets

/// Proves that a backup's keyring fits its log and a kept copy of the master key.
struct BackupKeyCheck {
    let backup: BackupVerification

    /// - Returns: the number of keys that the master key opens, and everything that does not fit.
    func run(masterKeyFile: String) throws(DaemonError) -> (opened: Int, problems: [String]) {
        guard let keyring = backup.manifest.keyring else { return (0, ["the backup has no keyring"]) }
        let proof: MasterKeyProof?
        do throws(SecretsError) {
            proof = try MasterKeyProof(
                of: MasterKeyFile(path: masterKeyFile), for: backup.directory.path + "/" + keyring.file)
        } catch  where error.code == .masterKeyWrong {
            return (0, [error.description])
        } catch {
            throw DaemonError(error)
        }
        guard let proof else { return (0, ["\(keyring.file) is missing"]) }
        var problems = proof.problems(of: keyring.file)
        let lost = try lostKeys(proof.present)
        if !lost.isEmpty { problems.append("the keyring lacks the keys of \(lost.text)") }
        return (proof.opened, problems)
    }

    private func lostKeys(_ present: PresentKeys) throws(DaemonError) -> LostKeys {
        var required = RequiredKeys(present)
        let problem: LogVerifier.Problem?
        do {
            problem = try LogVerifier.forEachRecord(in: backup.storage) { position, record in
                let people = try EventCodec.seals(in: record).map(\.personID).filter { !present.contains($0) }
                required.evolve(try EventCodec.decode(record, at: position), closedFor: Set(people))
                return true
            }
        } catch {
            throw DaemonError(.backupUnusable, "\(error)")
        }
        if let problem { throw DaemonError(.backupUnusable, problem.description) }
        return required.lost()
    }
}
