/// Keeps what was folded from the log in a file, so that the next fold need not begin at the beginning.
///
/// A snapshot may be deleted at any time: it saves work and holds nothing that the log does not. A file is written whole,
/// synced, and only then are older ones removed; one that is not whole counts as none.
package enum SnapshotFile {
    package struct Snapshot: Hashable, Sendable {
        /// What was folded stands for the log up to there.
        package let position: UInt64
        package let contents: [UInt8]

        package init(position: UInt64, contents: [UInt8]) {
            self.position = position
            self.contents = contents
        }
    }

    private static let suffix = ".snapshot"
    private static let magic: UInt32 = 0x4e53_4c53  // "SLSN" as bytes
    private static let version: UInt32 = 1
    private static let headerByteCount = 24

    /// Writes the snapshot, durable on return, and removes every other one.
    package static func save(_ snapshot: Snapshot, to storage: any LogStorage) throws(StorageError) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(headerByteCount + snapshot.contents.count + 4)
        bytes.append(littleEndian: magic)
        bytes.append(littleEndian: version)
        bytes.append(littleEndian: snapshot.position)
        bytes.append(littleEndian: UInt64(snapshot.contents.count))
        bytes += snapshot.contents
        bytes.append(littleEndian: CRC32C.checksum(bytes))
        let name = snapshot.position.fileNameDigits + suffix
        let others = try storage.names()
        if others.contains(name) { try storage.remove(name) }
        do throws(StorageError) {
            let file = try storage.create(name)
            try file.write(bytes, at: 0)
            try file.sync()
            try storage.syncDirectory()
        } catch {
            // Half a file is good for nothing; the first failure is the one to tell of.
            try? storage.remove(name)
            throw error
        }
        for other in others where other != name && other.hasSuffix(suffix) { try storage.remove(other) }
    }

    /// The newest snapshot that is whole; `nil` when there is none.
    package static func newest(in storage: any LogStorage) throws(StorageError) -> Snapshot? {
        for name in try storage.names().filter({ $0.hasSuffix(suffix) }).sorted().reversed() {
            let file = try storage.open(name, isWritable: false)
            if let snapshot = snapshot(try file.read(at: 0, count: Int(try file.size()))) { return snapshot }
        }
        return nil
    }

    private static func snapshot(_ bytes: [UInt8]) -> Snapshot? {
        guard bytes.count >= headerByteCount + 4, bytes.littleEndian(at: 0) == magic,
            bytes.littleEndian(at: 4) == version,
            bytes.littleEndian(at: 16) == UInt64(bytes.count - headerByteCount - 4),
            CRC32C.checksum(bytes.dropLast(4)) == bytes.littleEndian(at: bytes.count - 4) as UInt32
        else { return nil }
        return Snapshot(
            position: bytes.littleEndian(at: 8), contents: Array(bytes[headerByteCount..<bytes.count - 4]))
    }
}

/// Writes and reads snapshots on a thread of its own.
package actor SnapshotKeeper {
    private let executor = BlockingExecutor(label: "sluice.snapshots")
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let storage: any LogStorage

    package init(_ storage: any LogStorage) { self.storage = storage }

    /// Writes the snapshot, durable on return, and removes every other one.
    package func save(_ snapshot: SnapshotFile.Snapshot) throws(StorageError) {
        try SnapshotFile.save(snapshot, to: storage)
    }

    /// The newest snapshot that is whole; `nil` when there is none.
    package func newest() throws(StorageError) -> SnapshotFile.Snapshot? { try SnapshotFile.newest(in: storage) }
}
