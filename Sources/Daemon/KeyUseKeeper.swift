import Domain
import EventLog
import HTTPAPI
import Logging

/// Saves the times of keys' last use once a minute, and at a stop: a crash loses a minute of them.
///
/// They are no events, because every request of a key is a use, and no part of backups.
struct KeyUseKeeper: Sendable {
    private static let interval = Duration.seconds(60)
    private static let entryBytes = 24

    let uses: KeyUses
    /// `nil` when the directory cannot be used: the times are then of this run of the daemon.
    private let keeper: SnapshotKeeper?
    /// The number of the first snapshot to save; each later one has the next.
    private let firstNumber: UInt64
    private let logger: Logger

    /// Reads the saved times.
    ///
    /// - Parameter keys: the keys that exist; times of others are dropped.
    static func open(
        _ directory: DataDirectory, keys: some Sequence<APIKeyID> & Sendable, _ logger: Logger
    ) async -> KeyUseKeeper {
        do {
            let keeper = SnapshotKeeper(try PosixLogStorage(directory: directory.keyUses))
            let saved = try await keeper.newest()
            let times = saved.map { decode($0.contents) } ?? [:]
            let known = Set(keys)
            return KeyUseKeeper(
                uses: KeyUses(times.filter { known.contains($0.key) }), keeper: keeper,
                firstNumber: (saved?.position ?? 0) + 1, logger: logger)
        } catch {
            logger.warning("failed to read the last uses of keys", metadata: ["error": "\(error)"])
            return KeyUseKeeper(uses: KeyUses(), keeper: nil, firstNumber: 1, logger: logger)
        }
    }

    /// Saves what changed until its task is cancelled, and then once more.
    func run() async {
        var number = firstNumber
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.interval)
            guard let keeper else { continue }
            do {
                try await uses.saveChanged { times in
                    try await keeper.save(SnapshotFile.Snapshot(position: number, contents: Self.encode(times)))
                    number += 1
                }
            } catch {
                logger.warning("failed to save the last uses of keys", metadata: ["error": "\(error)"])
            }
        }
    }

    private static func encode(_ times: [APIKeyID: Timestamp]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(times.count * entryBytes)
        for (id, time) in times {
            id.value.withUnsafeBytes { bytes += $0 }
            withUnsafeBytes(of: time.microseconds.bigEndian) { bytes += $0 }
        }
        return bytes
    }

    private static func decode(_ bytes: [UInt8]) -> [APIKeyID: Timestamp] {
        bytes.withUnsafeBytes { bytes in
            var times: [APIKeyID: Timestamp] = [:]
            for start in stride(from: 0, through: bytes.count - entryBytes, by: entryBytes) {
                guard let id = UUIDValue(bytes: UnsafeRawBufferPointer(rebasing: bytes[start..<start + 16])) else {
                    continue
                }
                let time = Int64(bigEndian: bytes.loadUnaligned(fromByteOffset: start + 16, as: Int64.self))
                times[APIKeyID(id)] = Timestamp(microseconds: time)
            }
            return times
        }
    }
}
