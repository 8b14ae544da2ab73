import Secrets

/// Gives the keyring of a stopped daemon a new master key.
package struct MasterKeyRotation: Sendable {
    private let directory: DataDirectory
    private let configuration: SecretsConfiguration

    package init(dataDirectory: String, _ settings: Settings) throws(DaemonError) {
        directory = DataDirectory(dataDirectory)
        configuration = try SecretsConfiguration(settings)
    }

    /// Wraps every key anew: all of them or, after a crash, none. The old master key opens nothing afterwards.
    ///
    /// - Parameter successor: the new key in base64, needed when the environment holds the current one.
    /// - Returns: how many keys there are.
    package func rotate(to successor: String?) throws(DaemonError) -> Int {
        try directory.checkExists()
        try directory.checkPrivate()
        let lock = try DirectoryLock(directory)
        defer { withExtendedLifetime(lock) {} }
        var key: MasterKey?
        if let successor {
            key = MasterKey(base64: successor)
            guard key != nil else {
                throw DaemonError(.configuration, "SLUICE_NEW_MASTER_KEY must be 32 bytes in base64")
            }
        }
        guard configuration.masterKey == nil || key != nil else {
            throw DaemonError(
                .configuration,
                "SLUICE_MASTER_KEY holds the current master key: set SLUICE_NEW_MASTER_KEY to the one that takes over")
        }
        do throws(SecretsError) {
            return try Keyring.rotateMasterKey(
                path: directory.keyring, configured: configuration.masterKey, successor: key,
                masterKeyFile: configuration.file(directory))
        } catch {
            throw DaemonError(error)
        }
    }
}
