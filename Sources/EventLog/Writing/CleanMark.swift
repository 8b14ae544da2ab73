/// A small file that says how far the log had come when it was closed in order.
///
/// With it, a shorter log at the next start is damage and not a torn tail. It is removed before the first append.
enum CleanMark {
    static let fileName = "CLEAN"

    static func write(_ position: UInt64, to storage: any LogStorage) throws(StorageError) {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: position)
        bytes.append(littleEndian: CRC32C.checksum(bytes))
        try remove(from: storage)
        do throws(StorageError) {
            let file = try storage.create(fileName)
            try file.write(bytes, at: 0)
            try file.sync()
            try storage.syncDirectory()
        } catch {
            // A mark that is not whole says nothing; the first failure is the one to tell of.
            try? storage.remove(fileName)
            throw error
        }
    }

    /// Reads the mark; `nil` when there is none, or none that is whole.
    static func read(from storage: any LogStorage) throws(StorageError) -> UInt64? {
        let bytes: [UInt8]
        do throws(StorageError) {
            bytes = try storage.open(fileName, isWritable: false).read(at: 0, count: 12)
        } catch {
            guard error.kind == .notFound else { throw error }
            return nil
        }
        guard bytes.count == 12, CRC32C.checksum(bytes.prefix(8)) == bytes.littleEndian(at: 8) as UInt32 else {
            return nil
        }
        return bytes.littleEndian(at: 0)
    }

    /// Removes the mark, if there is one, so that the log may grow beyond it.
    static func remove(from storage: any LogStorage) throws(StorageError) {
        guard try storage.names().contains(fileName) else { return }
        try storage.remove(fileName)
        try storage.syncDirectory()
    }
}
