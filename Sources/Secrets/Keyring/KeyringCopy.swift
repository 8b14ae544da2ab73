/// Copies of a keyring's file, in a backup. The keys in it stay wrapped: without the master key they open nothing.
package enum KeyringCopy {
    /// A rotation of the master key may replace the file while it is read; that does not happen again and again.
    private static let attemptsMax = 3

    /// Copies the keyring, durably, while a daemon may be writing to it.
    ///
    /// A slot that is being written or erased at this moment counts as free: no event names a key before its slot is
    /// durable. So whoever copies the log first has every key that its events name.
    ///
    /// - Returns: whether there is a keyring.
    /// - Throws: `SecretsError.keyringUnusable` when it is none, or cannot be read or written.
    package static func make(of path: String, to target: String) throws(SecretsError) -> Bool {
        let size = KeyringFormat.slotBytes
        for _ in 0..<attemptsMax {
            guard let file = try ProtectedFile.open(path) else { return false }
            let bytes = try file.read(bytesMax: (Keyring.keysMax + 2) * size)
            // A file that a rotation has replaced is erased, from its header on: while that is whole, so was the rest.
            let header = try file.read(bytesMax: size)
            guard KeyringFormat.check(ofHeader: header) != nil, bytes.starts(with: header) else { continue }
            try ProtectedFile.create(target, withoutDamagedSlots(bytes))
            return true
        }
        throw SecretsError(.keyringUnusable, "\(path) is no keyring, or damaged")
    }

    /// Overwrites a copy with zeros and removes it, because there may be keys in it that are destroyed since.
    package static func destroy(_ path: String) throws(SecretsError) { try ProtectedFile.destroy(path) }

    private static func withoutDamagedSlots(_ bytes: [UInt8]) -> [UInt8] {
        let size = KeyringFormat.slotBytes
        var copy = Array(bytes[..<(bytes.count / size * size)])
        for start in stride(from: size, to: copy.count, by: size) {
            guard case .damaged = KeyringFormat.slot(Array(copy[start..<start + size])) else { continue }
            copy.replaceSubrange(start..<start + size, with: [UInt8](repeating: 0, count: size))
        }
        return copy
    }
}
