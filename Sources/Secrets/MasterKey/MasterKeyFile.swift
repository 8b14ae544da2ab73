import Foundation

/// The master key's file: base64 and a line feed, for its owner's eyes alone.
///
/// While a new master key takes over, it waits in a second file beside this one; the keyring says which of the two it
/// is wrapped under.
package struct MasterKeyFile: Sendable {
    package let path: String
    let storage: any KeyStorage

    /// - Parameter storage: another one in tests.
    package init(path: String, storage: any KeyStorage = DiskKeyStorage()) {
        self.path = path
        self.storage = storage
    }

    var successor: MasterKeyFile { MasterKeyFile(path: path + ".new", storage: storage) }

    /// The key in the file; `nil` when there is no file.
    ///
    /// - Throws: `masterKeyExposed` when others may read it, `masterKeyMalformed` when it holds no key.
    package func read() throws(SecretsError) -> MasterKey? {
        guard let (key, isExposed) = try copy() else { return nil }
        guard !isExposed else {
            throw SecretsError(
                .masterKeyExposed,
                "others may read the master key \(path): `chmod 600` it, and rotate it if anybody else has been there")
        }
        return key
    }

    /// The key in the file, and whether other users may read it; `nil` when there is no file.
    func copy() throws(SecretsError) -> (key: MasterKey, isExposed: Bool)? {
        guard let file = try storage.open(path, isWritable: false) else { return nil }
        let isExposed = try file.mode() & 0o077 != 0
        guard let key = MasterKey(base64: String(decoding: try file.read(bytesMax: 1024), as: UTF8.self)) else {
            throw SecretsError(
                .masterKeyMalformed, "\(path) holds no master key: restore it, 32 bytes in base64, from its backup")
        }
        return (key, isExposed)
    }

    /// Writes the key to a file that is not there yet, durably.
    func create(_ key: MasterKey) throws(SecretsError) {
        try storage.create(path, Array((key.base64 + "\n").utf8))
    }

    /// Puts this file in the place of `file`, durably.
    func takePlace(of file: MasterKeyFile) throws(SecretsError) {
        try storage.rename(path, to: file.path)
        try storage.syncDirectory(of: file.path)
    }

    /// Overwrites and removes the file, if it is there.
    func destroy() throws(SecretsError) { try storage.destroy(path) }
}
