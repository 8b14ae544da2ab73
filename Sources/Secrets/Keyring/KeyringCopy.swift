/// Copies of a keyring, in a backup. The keys in it stay wrapped: without the master key they open nothing.
package enum KeyringCopy {
    /// A file that is written at this moment is not whole; the other one is, until its turn comes.
    private static let attemptsMax = 50

    /// Copies the keyring, durably, while a daemon may be writing to it.
    ///
    /// No event names a key before it is durable in both files. So a copy that is made after the log's has every key that
    /// its events name.
    ///
    /// - Returns: the keys in the copy; `nil` when there is no keyring.
    /// - Throws: `SecretsError.keysLost` when neither file is whole, `.keyringUnusable` when they cannot be read or the
    ///   copy cannot be written.
    package static func make(of path: String, to target: String) throws(SecretsError) -> KeyringInventory? {
        let files = KeyringFiles(DiskKeyStorage(), path: path)
        var refused: KeyringContents?
        for attempt in 0..<attemptsMax {
            guard let contents = try KeyringContents(files, isWritable: false) else { return nil }
            if contents.isFirstFormat {
                try files.storage.create(target) { (file) throws(SecretsError) in
                    try contents.writeFirstFormat(to: file)
                }
                return KeyringInventory(contents)
            }
            if contents.whole != nil {
                try files.storage.create(target) { (file) throws(SecretsError) in try contents.write(to: file) }
                return KeyringInventory(contents)
            }
            // Nothing is written to it, and it is not whole all the same.
            if attempt > 9, let refused, refused.header == contents.header { break }
            refused = contents
        }
        let problems = refused?.problemTexts(files).joined(separator: "; ") ?? "it changes all the time"
        let count = refused.map { "\($0.keys.count) whole keys are left in them" } ?? ""
        throw SecretsError(
            .keysLost,
            "neither file of the keyring is whole, and \(count) (\(problems)): the backup keeps the keyring that it has. "
                + "Restart sluice, which mends the keyring or says what is lost")
    }

    /// Overwrites a copy with zeros and removes it, because there may be keys in it that are destroyed since.
    package static func destroy(_ path: String) throws(SecretsError) { try DiskKeyStorage().destroy(path) }

    /// The keys of a copy; `nil` when there is none at that path.
    ///
    /// - Throws: `SecretsError.keyringUnusable` for a file of a later format.
    package static func inventory(of path: String) throws(SecretsError) -> KeyringInventory? {
        try KeyringContents(KeyringFiles(DiskKeyStorage(), path: path), isWritable: false).map(KeyringInventory.init)
    }
}
