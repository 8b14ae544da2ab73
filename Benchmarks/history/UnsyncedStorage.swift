import EventLog

/// Files that are not synced frame by frame: a history that is lost can be made again.
struct UnsyncedStorage: LogStorage {
    private let base: any LogStorage

    init(_ base: any LogStorage) { self.base = base }

    func names() throws(StorageError) -> [String] { try base.names() }

    func open(_ name: String, isWritable: Bool) throws(StorageError) -> any LogFile {
        UnsyncedFile(base: try base.open(name, isWritable: isWritable))
    }

    func create(_ name: String) throws(StorageError) -> any LogFile { UnsyncedFile(base: try base.create(name)) }

    func remove(_ name: String) throws(StorageError) { try base.remove(name) }

    func rename(_ name: String, to target: String) throws(StorageError) { try base.rename(name, to: target) }

    func syncDirectory() throws(StorageError) { try base.syncDirectory() }
}

private struct UnsyncedFile: LogFile {
    let base: any LogFile

    func read(at offset: UInt64, count: Int) throws(StorageError) -> [UInt8] {
        try base.read(at: offset, count: count)
    }

    func write(_ bytes: [UInt8], at offset: UInt64) throws(StorageError) { try base.write(bytes, at: offset) }

    func sync() {}

    func size() throws(StorageError) -> UInt64 { try base.size() }

    func truncate(to size: UInt64) throws(StorageError) { try base.truncate(to: size) }
}
