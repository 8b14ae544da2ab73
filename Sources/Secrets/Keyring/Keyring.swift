import Crypto
package import Domain

/// The data keys, each wrapped under the master key, in files of their own: not in the log, and not derived from it.
///
/// What a destroyed key has sealed is unrecoverable, with the log and the master key in hand too. Keys are found in
/// memory; only making and destroying them waits for the disk. There are two files with the same contents, so that a
/// torn write, a damaged or a missing file is found at the start, and mended from the other one.
package struct Keyring: Sendable {
    let master: MasterKey
    let index: KeyIndex
    let file: KeyringFile
    /// The outcome of the look at the files, at the start.
    package let report: KeyringReport

    /// Opens the keyring, or makes both it and the master key at the first start.
    ///
    /// - Parameters:
    ///   - path: the keyring's first file; the others are beside it.
    ///   - configured: the master key of the environment; without one it is `masterKeyFile`'s.
    ///   - isFirstStart: true when nothing can be sealed yet, so that a missing keyring is no loss.
    ///   - acceptsLoss: true to go on without keys that are lost.
    /// - Throws: `keysLost` when keys are in neither file, or there is neither file after the first start.
    package static func open(
        path: String, configured: MasterKey?, masterKeyFile: MasterKeyFile, isFirstStart: Bool = true,
        acceptsLoss: Bool = false
    ) throws(SecretsError) -> Keyring {
        let files = KeyringFiles(masterKeyFile.storage, path: path)
        let masters = try candidates(configured, masterKeyFile)
        guard var contents = try KeyringContents(files, masters: masters, isWritable: true) else {
            guard isFirstStart || acceptsLoss else { throw missing(files) }
            return try make(files, configured, masterKeyFile, isReplacement: !isFirstStart)
        }
        // A keyring that is being made holds no key that anything needs.
        if contents.loss != nil, !acceptsLoss { throw lost(contents, files) }
        let master = try Keyring.master(of: contents, files.first, configured, masterKeyFile)
        if contents.header.check.isEmpty { contents.header.check = try check(master) }
        try contents.repair(files)
        // Left by a change that was broken off: keys may be in them that are destroyed later.
        for suffix in [".new", ".draft", ".second.draft"] { try files.storage.destroy(path + suffix) }
        let report = KeyringReport(contents, files)
        try contents.upgrade(files)
        return try Keyring(master, contents, files, report)
    }

    private static func make(
        _ files: KeyringFiles, _ configured: MasterKey?, _ masterKeyFile: MasterKeyFile, isReplacement: Bool
    ) throws(SecretsError) -> Keyring {
        let master = try firstMaster(configured, masterKeyFile)
        let made = KeyringContents(check: try check(master))
        try made.make(files)
        return try Keyring(master, made, files, KeyringReport(made, files, isReplacement: isReplacement))
    }

    /// Opens the keyring to look into it, beside a daemon too: nothing is made or changed.
    ///
    /// - Returns: `nil` when there is no keyring, or no master key.
    static func reading(
        path: String, configured: MasterKey?, masterKeyFile: MasterKeyFile
    ) throws(SecretsError) -> Keyring? {
        let files = KeyringFiles(masterKeyFile.storage, path: path)
        let masters = try candidates(configured, masterKeyFile)
        guard let contents = try KeyringContents(files, masters: masters, isWritable: false), !masters.isEmpty else {
            return nil
        }
        guard let master = masters.first(where: contents.isProven(by:)) else {
            throw wrongMaster(configured == nil ? masterKeyFile.path : "SLUICE_MASTER_KEY", path)
        }
        return try Keyring(reading: contents, files, master)
    }

    /// The keyring as it was read, to look into it.
    init(reading contents: KeyringContents, _ files: KeyringFiles, _ master: MasterKey) throws(SecretsError) {
        try self.init(master, contents, files, KeyringReport(contents, files), isWritable: false)
    }

    private init(
        _ master: MasterKey, _ contents: KeyringContents, _ files: KeyringFiles, _ report: KeyringReport,
        isWritable: Bool = true
    ) throws(SecretsError) {
        self.master = master
        self.report = report
        index = KeyIndex(contents.keys)
        var open: [any KeyFile] = []
        for place in KeyringPlace.allCases where isWritable {
            guard let file = try files.storage.open(files.path(of: place), isWritable: true) else {
                throw SecretsError(.keyringUnusable, "the keyring \(files.path(of: place)) was removed meanwhile")
            }
            open.append(file)
        }
        file = KeyringFile(contents, open, index: index)
    }

    /// The number of keys of each kind.
    package var counts: KeyCounts { index.counts }

    /// The bytes of each of the two files.
    package var byteCount: Int { file.byteCount }

    /// The newest state that is durable.
    package var mark: KeyringMark { file.mark }

    /// The first day whose keys of payloads were not destroyed because of their age.
    var payloadsBefore: PayloadDay { file.payloadsBefore }

    /// The master keys that may be the right one: of two files while a rotation is under way.
    static func candidates(
        _ configured: MasterKey?, _ file: MasterKeyFile
    ) throws(SecretsError) -> [MasterKey] {
        if let configured { return [configured] }
        return [try file.read(), try file.successor.read()].compactMap(\.self)
    }

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
    static func master(
        of contents: KeyringContents, _ path: String, _ configured: MasterKey?, _ file: MasterKeyFile
    ) throws(SecretsError) -> MasterKey {
        if let configured {
            if contents.isProven(by: configured) { return configured }
            throw wrongMaster("SLUICE_MASTER_KEY", path)
        }
        let current = try file.read()
        if let current, contents.isProven(by: current) {
            try file.successor.destroy()
            return current
        }
        if let next = try file.successor.read(), contents.isProven(by: next) {
            try file.finishSuccession()
            return next
        }
        guard current == nil else { throw wrongMaster(file.path, path) }
        throw SecretsError(
            .masterKeyMissing,
            "the master key \(file.path) is not there, and the keyring \(path) needs it: restore it from its backup, or "
                + "set master-key-file or SLUICE_MASTER_KEY. \(consequence)")
    }

    /// The price of going on without the keys.
    private static var consequence: String {
        "Without it every secret and all that the log says of every person are lost for good, and there is no other "
            + "way to read them: `sluice secrets check-master-key FILE` tells whether a kept copy is the right one. To "
            + "give all of that up, move the keyring's files away and start with --accept-key-loss"
    }

    private static func wrongMaster(_ source: String, _ path: String) -> SecretsError {
        SecretsError(
            .masterKeyWrong,
            "the master key of \(source) is not the one that the keyring \(path) is wrapped under: give it the right "
                + "one. \(consequence)")
    }

    private static func missing(_ files: KeyringFiles) -> SecretsError {
        SecretsError(
            .keysLost,
            "the keyring \(files.first) is missing, and the log beside it has events: put the newest backup's keyring "
                + "in its place. Without it every secret and all that the log says of every person are lost for good; "
                + "to give them up, start with --accept-key-loss")
    }

    private static func lost(_ contents: KeyringContents, _ files: KeyringFiles) -> SecretsError {
        let loss = contents.loss.map { loss in
            let count = loss.lost == 0 ? "an unknown number of" : "\(loss.isExact ? "" : "at least ")\(loss.lost)"
            return "\(count) keys are lost, \(loss.found) are left"
        }
        let problems = contents.problemTexts(files).joined(separator: "; ")
        return SecretsError(
            .keysLost,
            "the keyring is damaged in both of its files, and \(loss ?? "keys are lost") (\(problems)): put the newest "
                + "backup's keyring in the place of \(files.first) and leave the other file, keys are taken from both. "
                + "What lost keys sealed, of secrets and of people, is lost for good; to give it up, start with "
                + "--accept-key-loss")
    }

    /// A wrapped key that nothing is sealed with.
    static func check(_ master: MasterKey) throws(SecretsError) -> [UInt8] {
        try master.wrap(SymmetricKey(size: .bits256), as: KeyringFormat.checkID)
    }
}

extension MasterKeyFile {
    /// The successor takes the place of this file, whose blocks are left with zeros.
    func finishSuccession() throws(SecretsError) {
        let old = try storage.open(path, isWritable: true)
        try successor.takePlace(of: self)
        try old?.erase()
    }
}
