import Crypto

/// The data keys, each wrapped under the master key, in a file of their own: not in the log, and not derived from it.
///
/// What a destroyed key has sealed is unrecoverable, with the log and the master key in hand too. Keys are found in
/// memory; only making and destroying them waits for the disk.
package struct Keyring: Sendable {
    /// Keys of all kinds; each takes 256 bytes of the file and about as much memory.
    package static let keysMax = 400_000

    let master: MasterKey
    let index: KeyIndex
    private let keysMax: Int
    let file: KeyringFile
    /// Slots that were half written when the last process ended, and have been erased.
    package let erasedCount: Int

    /// Opens the keyring, or makes both it and the master key at the first start.
    ///
    /// - Parameters:
    ///   - path: the keyring's file.
    ///   - configured: the master key of the environment; without one it is `masterKeyFile`'s.
    ///   - keysMax: fewer in tests.
    package static func open(
        path: String, configured: MasterKey?, masterKeyFile: MasterKeyFile, keysMax: Int = keysMax
    ) throws(SecretsError) -> Keyring {
        if let contents = try KeyringContents(path: path) {
            let master = try Keyring.master(of: contents, path, configured, masterKeyFile)
            return Keyring(master, contents, keysMax: keysMax)
        }
        let master = try firstMaster(configured, masterKeyFile)
        try make(path: path, master: master, keys: [:])
        guard let contents = try KeyringContents(path: path) else {
            throw SecretsError(.keyringUnusable, "the keyring \(path) has gone away")
        }
        return Keyring(master, contents, keysMax: keysMax)
    }

    /// Opens the keyring to look into it, beside a daemon too: nothing is made or changed.
    ///
    /// - Returns: `nil` when there is no keyring, or no master key.
    static func reading(
        path: String, configured: MasterKey?, masterKeyFile: MasterKeyFile
    ) throws(SecretsError) -> Keyring? {
        guard let contents = try KeyringContents(path: path, heals: false) else { return nil }
        var masters = [configured].compactMap(\.self)
        if configured == nil {
            for file in [masterKeyFile, masterKeyFile.successor] {
                if let key = try file.read() { masters.append(key) }
            }
        }
        guard !masters.isEmpty else { return nil }
        guard let master = masters.first(where: { proves($0, contents) }) else {
            throw wrongMaster(configured == nil ? masterKeyFile.path : "SLUICE_MASTER_KEY", path)
        }
        return Keyring(master, contents, keysMax: keysMax)
    }

    /// Wraps every key under another master key, all or none: a crash in between leaves the old state or the new one.
    ///
    /// Only while nobody has the keyring open.
    ///
    /// - Parameter successor: the environment's new key; without one a new key is made and takes the file's place.
    package static func rotateMasterKey(
        path: String, configured: MasterKey?, successor: MasterKey?, masterKeyFile: MasterKeyFile
    ) throws(SecretsError) -> Int {
        guard let contents = try KeyringContents(path: path) else {
            throw SecretsError(.keyringUnusable, "there is no keyring \(path): start sluice once")
        }
        let old = try master(of: contents, path, configured, masterKeyFile)
        let new = successor ?? .generate()
        var keys: [String: [UInt8]] = [:]
        for (id, wrapped) in contents.keys { keys[id] = try new.wrap(try old.unwrap(wrapped, of: id), as: id) }
        if configured == nil {
            try masterKeyFile.successor.destroy()
            try masterKeyFile.successor.create(new)
        }
        let draft = path + ".new"
        try ProtectedFile.destroy(draft)
        try make(path: draft, master: new, keys: keys)
        // From here on the new master key is the right one.
        try ProtectedFile.rename(draft, to: path)
        try contents.file.erase()
        if configured == nil { try masterKeyFile.finishSuccession() }
        return keys.count
    }

    private init(_ master: MasterKey, _ contents: KeyringContents, keysMax: Int) {
        self.master = master
        self.keysMax = keysMax
        index = KeyIndex(contents.keys)
        file = KeyringFile(contents, index: index, keysMax: keysMax)
        erasedCount = contents.erasedCount
    }

    /// Whether there is no place for another key.
    var isFull: Bool { index.ids.count >= keysMax }

    private static func firstMaster(
        _ configured: MasterKey?, _ file: MasterKeyFile
    ) throws(SecretsError) -> MasterKey {
        if let configured { return configured }
        if let existing = try file.read() { return existing }
        let key = MasterKey.generate()
        try file.create(key)
        return key
    }

    /// The master key that the keyring is wrapped under, after a rotation that was broken off too.
    private static func master(
        of contents: KeyringContents, _ path: String, _ configured: MasterKey?, _ file: MasterKeyFile
    ) throws(SecretsError) -> MasterKey {
        if let configured {
            if proves(configured, contents) { return configured }
            throw wrongMaster("SLUICE_MASTER_KEY", path)
        }
        let current = try file.read()
        if let current, proves(current, contents) {
            try file.successor.destroy()
            return current
        }
        if let next = try file.successor.read(), proves(next, contents) {
            try file.finishSuccession()
            return next
        }
        guard current == nil else { throw wrongMaster(file.path, path) }
        throw SecretsError(
            .masterKeyMissing,
            "the master key \(file.path) is not there, and the keyring \(path) needs it: restore it from its backup, or "
                + "set master-key-file or SLUICE_MASTER_KEY. If it is lost, so are the secrets: move the keyring away "
                + "and set them again")
    }

    private static func proves(_ master: MasterKey, _ contents: KeyringContents) -> Bool {
        do throws(SecretsError) {
            _ = try master.unwrap(contents.check, of: KeyringFormat.checkID)
            return true
        } catch {
            return false
        }
    }

    private static func wrongMaster(_ source: String, _ path: String) -> SecretsError {
        SecretsError(
            .masterKeyWrong,
            "the master key of \(source) is not the one that the keyring \(path) is wrapped under: give it the right one"
        )
    }

    private static func make(path: String, master: MasterKey, keys: [String: [UInt8]]) throws(SecretsError) {
        var bytes = KeyringFormat.header(
            check: try master.wrap(SymmetricKey(size: .bits256), as: KeyringFormat.checkID))
        for (id, wrapped) in keys { bytes += KeyringFormat.slot(id, wrapped) }
        try ProtectedFile.create(path, bytes)
    }
}

extension MasterKeyFile {
    /// The successor takes the place of this file, whose blocks are left with zeros.
    fileprivate func finishSuccession() throws(SecretsError) {
        let old = try ProtectedFile.open(path, isWritable: true)
        try successor.takePlace(of: self)
        try old?.erase()
    }
}
