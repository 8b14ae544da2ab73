import Domain
import EventLog
import EventStore
import Secrets

/// Decides whether a keyring may take the place of an earlier backup's: it drops no key whose destruction the log does
/// not record.
struct KeyringSuccession {
    let log: any LogStorage
    let path: String
    /// The last position of the earlier backup: erasures up to there took their keys before it was made.
    let earlierPosition: UInt64

    /// - Parameter new: the keys of now; `nil` when there is no keyring.
    /// - Throws: `keysLost` with the number of keys that would be lost.
    func check(_ new: KeyringInventory?, after old: KeyringInventory) throws(SecretsError) {
        guard let new else {
            throw refusal("the keyring \(path) is missing, and the backup has one with \(old.count) keys")
        }
        // Every change in between was made by a daemon, which records what it destroys first.
        if let earlier = old.mark, let later = new.mark, later.continues(earlier) { return }
        let dropped = new.dropped(since: old)
        guard !dropped.isEmpty else { return }
        let lost = try unrecorded(dropped)
        guard !lost.isEmpty else { return }
        throw refusal(
            "the keyring \(path) lacks keys that the backup has and whose destruction the log does not record: "
                + "\(lost.people) of people, \(lost.secrets.count) of secrets, \(lost.payloads) of payloads, "
                + "\(lost.others) others")
    }

    private func refusal(_ reason: String) -> SecretsError {
        SecretsError(
            .keysLost,
            reason + ". The backup stays as it is: put its keyring in the place of the damaged one, as docs/backup.md "
                + "says, or, when the loss is accepted, back up to another place and keep this one")
    }

    /// The keys among these that the log still needs.
    private func unrecorded(_ dropped: DroppedKeys) throws(SecretsError) -> DroppedKeys {
        var lost = dropped
        lost.secrets = []
        var erased: Set<UUIDValue> = []
        let problem: LogVerifier.Problem?
        do {
            problem = try LogVerifier.forEachRecord(in: log) { position, record in
                let event = try EventCodec.decode(record, at: position)
                switch event.payload {
                case .personErasureRequested, .personErased:
                    if position > earlierPosition { erased.insert(event.stream.id) }
                default: break
                }
                if case .secretStored(let stored) = event.payload, dropped.secrets.contains(stored.sealed.keyID) {
                    lost.secrets.insert(stored.sealed.keyID)
                }
                if let obsolete = event.payload.obsoleteKeyID { lost.secrets.remove(obsolete) }
                return true
            }
        } catch {
            throw SecretsError(.keyringUnusable, "\(error)")
        }
        if let problem { throw SecretsError(.keyringUnusable, problem.description) }
        lost.people = max(0, dropped.people - erased.count)
        return lost
    }
}
