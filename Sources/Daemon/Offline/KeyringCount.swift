import Secrets

/// Counts the keys of a data directory's keyring by kind, without the master key and beside the daemon too.
package struct KeyringCount: Sendable {
    private let directory: DataDirectory

    package init(dataDirectory: String) { directory = DataDirectory(dataDirectory) }

    /// - Returns: names and numbers, in the order in which they are shown.
    /// - Throws: `DaemonError.notFound` without a keyring, `.secretsUnusable` for one of a later format.
    package func run() throws(DaemonError) -> [(name: String, number: Int)] {
        let keyring = try inventory()
        return KeyKind.allCases.map { ("keys_" + $0.rawValue, keyring.counts[$0]) } + [
            ("keys", keyring.count), ("free_slots", keyring.freeSlots), ("file_bytes", keyring.byteCount),
            ("format", keyring.format),
        ]
    }

    private func inventory() throws(DaemonError) -> KeyringInventory {
        do throws(SecretsError) {
            if let inventory = try KeyringCopy.inventory(of: directory.keyring) { return inventory }
        } catch {
            throw DaemonError(error)
        }
        throw DaemonError(.notFound, "there is no keyring \(directory.keyring); choose another --data-dir")
    }
}
