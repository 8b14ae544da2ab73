/// Why a secret cannot be sealed or opened, with what to do about it. Never holds a secret or a key.
package struct SecretsError: Error, Hashable, Sendable, CustomStringConvertible {
    package let code: SecretsErrorCode
    package let description: String

    package init(_ code: SecretsErrorCode, _ description: String) {
        self.code = code
        self.description = description
    }
}

/// Stable codes of failures with secrets; each has a line in `docs/errors.md`.
package enum SecretsErrorCode: String, Hashable, Sendable, CaseIterable {
    case masterKeyMissing = "master_key_missing"
    case masterKeyMalformed = "master_key_malformed"
    case masterKeyExposed = "master_key_exposed"
    case masterKeyWrong = "master_key_wrong"
    case keyringUnusable = "keyring_unusable"
    case keyringNoSpace = "keyring_no_space"
    /// Keys are in no copy of the keyring any more, or the log needs keys that are not in it.
    case keysLost = "keys_lost"
    /// The key is gone: nobody can open what was sealed with it.
    case keyDestroyed = "key_destroyed"
    /// The ciphertext was changed, or belongs to another name.
    case sealedDamaged = "sealed_damaged"
}
