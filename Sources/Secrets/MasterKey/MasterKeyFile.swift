import Foundation

/// The master key's file: base64 and a line feed, for its owner's eyes alone.
///
/// While a new master key takes over, it waits in a second file beside this one; the keyring says which of the two it
/// is wrapped under.
package struct MasterKeyFile: Sendable {
    package let path: String

    package init(path: String) { self.path = path }

    var successor: MasterKeyFile { MasterKeyFile(path: path + ".new") }

    /// The key in the file; `nil` when there is no file.
    ///
    /// - Throws: `masterKeyExposed` when others may read it, `masterKeyMalformed` when it holds no key.
    package func read() throws(SecretsError) -> MasterKey? {
        guard let file = try ProtectedFile.open(path) else { return nil }
        guard try file.mode() & 0o077 == 0 else {
            throw SecretsError(
                .masterKeyExposed,
                "others may read the master key \(path): `chmod 600` it, and rotate it if anybody else has been there")
        }
        guard let key = MasterKey(base64: String(decoding: try file.read(bytesMax: 1024), as: UTF8.self)) else {
            throw SecretsError(
                .masterKeyMalformed, "\(path) holds no master key: restore it, 32 bytes in base64, from its backup")
        }
        return key
    }

    /// Writes the key to a file that is not there yet, durably.
    func create(_ key: MasterKey) throws(SecretsError) {
        try ProtectedFile.create(path, Array((key.base64 + "\n").utf8))
    }

    /// Puts this file in the place of `file`, durably.
    func takePlace(of file: MasterKeyFile) throws(SecretsError) { try ProtectedFile.rename(path, to: file.path) }

    /// Overwrites and removes the file, if it is there.
    func destroy() throws(SecretsError) { try ProtectedFile.destroy(path) }
}
