/// A proof that a kept copy of the master key fits a keyring. Nothing of the key, or of what it opens, is shown.
package struct MasterKeyProof: Sendable {
    /// Keys that the master key unwraps.
    package let opened: Int
    /// Keys that it does not unwrap although it is the right one: they are damaged.
    private let damaged: Int
    /// Keys that the keyring itself says are lost.
    private let loss: Int
    /// True when other users may read the file.
    package let isExposed: Bool
    /// The keys that it opens.
    package let present: PresentKeys

    /// Unwraps every key of the keyring, beside a daemon too.
    ///
    /// - Parameters:
    ///   - file: a copy of the master key: base64 and a line feed.
    ///   - keyring: the first file of a keyring, or a backup's copy.
    /// - Returns: `nil` when there is no keyring.
    /// - Throws: `masterKeyMissing` without such a file, `masterKeyMalformed` when it holds no key, `masterKeyWrong` when
    ///   it is another keyring's.
    package init?(of file: MasterKeyFile, for keyring: String) throws(SecretsError) {
        guard let (key, isExposed) = try file.copy() else {
            throw SecretsError(.masterKeyMissing, "there is no file \(file.path)")
        }
        let files = KeyringFiles(file.storage, path: keyring)
        guard var contents = try KeyringContents(files, masters: [key], isWritable: false) else { return nil }
        guard contents.isProven(by: key) else {
            throw SecretsError(
                .masterKeyWrong, "\(file.path) is not the master key that the keyring \(keyring) is wrapped under")
        }
        let count = contents.keys.count
        try contents.map { (name, entry) throws(SecretsError) in key.opens(entry.wrapped, of: name.id) ? entry : nil }
        damaged = count - contents.keys.count
        self.isExposed = isExposed
        loss = contents.loss?.lost ?? 0
        opened = contents.keys.count
        present = PresentKeys(try PeopleKeys(try Keyring(reading: contents, files, key)).index)
    }

    /// The faults of the keyring, for people.
    ///
    /// - Parameter name: the keyring's, in a sentence.
    package func problems(of name: String) -> [String] {
        var problems: [String] = []
        if damaged > 0 { problems.append("\(damaged) keys are damaged: the master key does not open them") }
        if loss > 0 { problems.append("\(name) is damaged: \(loss) keys are lost") }
        return problems
    }
}
