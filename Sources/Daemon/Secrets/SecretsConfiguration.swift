import CommandHandling
import Domain
import EventStore
import Logging
import Secrets

/// Where the master key is.
package struct SecretsConfiguration: Sendable {
    /// The environment's key, which goes before the file's.
    var masterKey: MasterKey?
    /// Empty means `master.key` in the data directory.
    var masterKeyFile = ""

    init() {}

    package init(_ settings: Settings) throws(DaemonError) {
        masterKeyFile = settings.text(.masterKeyFile)
        let text = settings.text(.masterKey)
        guard !text.isEmpty else { return }
        guard let key = MasterKey(base64: text) else {
            throw settings.invalid(
                .masterKey, "\(MasterKey.bytesCount) bytes in base64, as `openssl rand -base64 32` makes")
        }
        masterKey = key
    }

    func file(_ directory: DataDirectory) -> MasterKeyFile {
        MasterKeyFile(path: masterKeyFile.isEmpty ? directory.masterKey : masterKeyFile)
    }

    /// Opens what records say of people, to look into a log; where there are no keys it stays sealed.
    func personalData(of directory: DataDirectory) throws(DaemonError) -> any PersonalDataReader {
        do throws(SecretsError) {
            let keys = try PeopleKeys.reading(
                path: directory.keyring, configured: masterKey, masterKeyFile: file(directory))
            guard let keys else { return WithoutKeys() }
            return OpenedPeople(keys: keys)
        } catch {
            throw DaemonError(error)
        }
    }

    /// Opens the keyring, or makes it and a master key at the first start.
    ///
    /// - Parameters:
    ///   - isFirstStart: true when the log is empty, so that a missing keyring is no loss.
    ///   - acceptsLoss: true to go on without keys that are lost.
    func openVault(
        _ directory: DataDirectory, isFirstStart: Bool, acceptsLoss: Bool = false, _ logger: Logger
    ) async throws(DaemonError) -> SecretVault {
        do throws(SecretsError) {
            let keyring = try await BlockingWork.run { [self] () throws(SecretsError) in
                try Keyring.open(
                    path: directory.keyring, configured: masterKey, masterKeyFile: file(directory),
                    isFirstStart: isFirstStart, acceptsLoss: acceptsLoss)
            }
            keyring.report.log(to: logger)
            let identifiers = IdentifierSource(clock: SystemWallClock())
            return try await SecretVault(keyring) { identifiers.next() }
        } catch {
            throw DaemonError(error)
        }
    }
}

extension KeyringReport {
    fileprivate func log(to logger: Logger) {
        for damage in mended { logger.warning("keyring mended from its other copy", metadata: ["damage": "\(damage)"]) }
        if isUpgrade {
            logger.notice("keyring upgraded to format 3", metadata: ["slots_discarded": "\(discardedCount)"])
        }
        if isReplacement { logger.error("keyring missing; a new one was made") }
        if let loss {
            logger.error("keys lost from the keyring", metadata: ["lost": "\(loss.lost)", "found": "\(loss.found)"])
        }
    }
}

extension DaemonError {
    init(_ error: SecretsError) { self.init(.secretsUnusable, error.description) }
}
