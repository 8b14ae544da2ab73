/// The files that hold keys, seen synchronously, so that a test can crash at any call.
package protocol KeyStorage: Sendable {
    /// Opens a file; `nil` when there is none.
    func open(_ path: String, isWritable: Bool) throws(SecretsError) -> (any KeyFile)?
    /// Makes an empty file that its owner alone may read; an existing one is an error.
    func make(_ path: String) throws(SecretsError) -> any KeyFile
    /// Removes a file that exists.
    func remove(_ path: String) throws(SecretsError)
    /// Gives a file another name at once, in the place of one that has it.
    func rename(_ path: String, to target: String) throws(SecretsError)
    /// Makes creations, removals and renames beside that path durable.
    func syncDirectory(of path: String) throws(SecretsError)
}

/// One open file.
package protocol KeyFile: Sendable {
    /// The file's type and permissions, as `stat` has them.
    func mode() throws(SecretsError) -> UInt32
    /// The number of bytes in it.
    func size() throws(SecretsError) -> Int
    /// Reads up to `count` bytes at `offset`; fewer only at the end of the file.
    func read(at offset: Int, count: Int) throws(SecretsError) -> [UInt8]
    /// Writes all of `bytes` at `offset`, extending the file when needed.
    func write(_ bytes: [UInt8], at offset: Int) throws(SecretsError)
    /// Makes everything written durable.
    func sync() throws(SecretsError)
    /// Cuts the file, or extends it with zeros.
    func truncate(to size: Int) throws(SecretsError)
}

extension KeyStorage {
    /// Makes a file with these contents, durably: at its path it is whole, or not there. An existing one is replaced.
    func create(_ path: String, _ contents: [UInt8]) throws(SecretsError) {
        try create(path) { (file) throws(SecretsError) in try file.write(contents, at: 0) }
    }

    /// Makes a file of what `write` puts into it, durably: at its path it is whole, or not there.
    func create(_ path: String, writing write: (any KeyFile) throws(SecretsError) -> Void) throws(SecretsError) {
        let draft = path + ".draft"
        try destroy(draft)
        let file = try make(draft)
        try write(file)
        try file.sync()
        try rename(draft, to: path)
        try syncDirectory(of: path)
    }

    /// Overwrites the file with zeros before it goes, so that its blocks hold nothing; no file is no error.
    func destroy(_ path: String) throws(SecretsError) {
        guard let file = try open(path, isWritable: true) else { return }
        try file.erase()
        try remove(path)
        try syncDirectory(of: path)
    }
}

extension KeyFile {
    private static var eraseBytes: Int { 1 << 20 }

    /// Reads the whole file, `bytesMax` at most.
    func read(bytesMax: Int) throws(SecretsError) -> [UInt8] { try read(at: 0, count: min(try size(), bytesMax)) }

    /// Overwrites everything in it with zeros, durably.
    func erase() throws(SecretsError) {
        try eraseUnsynced(from: 0)
        try sync()
    }

    /// Overwrites everything from an offset on with zeros; durable with the next sync.
    func eraseUnsynced(from start: Int) throws(SecretsError) {
        let size = try size()
        for offset in stride(from: start, to: size, by: Self.eraseBytes) {
            try write([UInt8](repeating: 0, count: min(Self.eraseBytes, size - offset)), at: offset)
        }
    }
}
