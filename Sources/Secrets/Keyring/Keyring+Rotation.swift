extension Keyring {
    /// Wraps every key under another master key, all or none: a crash in between leaves the old state or the new one.
    ///
    /// Only while no process has the keyring open.
    ///
    /// - Parameter successor: the environment's new key; without one a new key is made and takes the file's place.
    /// - Returns: the number of keys.
    package static func rotateMasterKey(
        path: String, configured: MasterKey?, successor: MasterKey?, masterKeyFile: MasterKeyFile
    ) throws(SecretsError) -> Int {
        let files = KeyringFiles(masterKeyFile.storage, path: path)
        let masters = try candidates(configured, masterKeyFile)
        guard var contents = try KeyringContents(files, masters: masters, isWritable: true) else {
            throw SecretsError(.keyringUnusable, "there is no keyring \(path): start sluice once")
        }
        guard contents.loss == nil else {
            throw SecretsError(
                .keysLost, "the keyring \(path) is damaged: start sluice first, which says how to mend it")
        }
        let old = try master(of: contents, path, configured, masterKeyFile)
        let new = successor ?? .generate()
        try contents.repair(files)
        try contents.map { (name, entry) throws(SecretsError) in
            let (id, note) = (name.id, entry.note)
            return KeyEntry(wrapped: try new.wrap(try old.unwrap(entry.wrapped, of: id), as: id), note: note)
        }
        contents.header.check = try check(new)
        contents.header.generation += 1
        if configured == nil {
            try masterKeyFile.successor.destroy()
            try masterKeyFile.successor.create(new)
        }
        // Once one file is whole again, the new master key is the right one.
        try contents.replace(files)
        if configured == nil { try masterKeyFile.finishSuccession() }
        return contents.keys.count
    }
}
