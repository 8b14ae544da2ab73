/// Where segments are kept: a flat directory of files, seen synchronously.
///
/// The writer's core takes it as a parameter, so that a simulation can crash it at any call.
package protocol LogStorage: Sendable {
    /// The names of all entries, in no particular order.
    func names() throws(StorageError) -> [String]
    /// Opens an existing file for reading, and for writing when `isWritable`.
    func open(_ name: String, isWritable: Bool) throws(StorageError) -> any LogFile
    /// Makes a new, empty file; an existing one of that name is an error.
    func create(_ name: String) throws(StorageError) -> any LogFile
    func remove(_ name: String) throws(StorageError)
    /// Gives a file another name at once, in the place of one that has it; whoever has that one open keeps it.
    func rename(_ name: String, to target: String) throws(StorageError)
    /// Makes creations, removals and renames durable.
    func syncDirectory() throws(StorageError)
}

/// One open file.
package protocol LogFile: Sendable {
    /// Reads up to `count` bytes at `offset`; fewer only at the end of the file.
    func read(at offset: UInt64, count: Int) throws(StorageError) -> [UInt8]
    /// Writes all of `bytes` at `offset`, extending the file when needed.
    func write(_ bytes: [UInt8], at offset: UInt64) throws(StorageError)
    /// Makes everything written durable (`fdatasync`).
    func sync() throws(StorageError)
    func size() throws(StorageError) -> UInt64
    func truncate(to size: UInt64) throws(StorageError)
}

/// What the disk answered.
package struct StorageError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// ENOSPC or EDQUOT.
        case noSpace
        /// EMFILE or ENFILE.
        case noDescriptors
        case notFound
        /// EACCES, EPERM or EROFS.
        case notPermitted
        case other
    }

    package let kind: Kind
    /// The call and what it answered, for people.
    package let description: String

    package init(kind: Kind, description: String) {
        self.kind = kind
        self.description = description
    }
}
