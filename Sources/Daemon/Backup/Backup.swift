import CommandHandling
import EventLog

/// Copies a log and its keyring to another place, beside the daemon that writes them.
///
/// Sealed segments that the destination has are not read again: the tree head in the next segment's header says whether
/// they are still the same. What is copied is checked before it counts.
package struct Backup: Sendable {
    package struct Outcome: Hashable, Sendable {
        package let manifest: BackupManifest
        package fileprivate(set) var copiedSegments = 0
        package fileprivate(set) var copiedBytes: UInt64 = 0
    }

    private let source: DataDirectory
    private let destination: String

    /// - Throws: `DaemonError.notFound` without a log, `.directoryUnusable` for one that other users have access to or
    ///   own, `.destinationUnusable` for a place inside of the data directory
    ///   or around it.
    package init(dataDirectory: String, destination: String) throws(DaemonError) {
        source = DataDirectory(dataDirectory)
        self.destination = destination
        try source.checkExists()
        try source.checkPrivate()
        let (data, place) = (source.absolute() + "/", DataDirectory(destination).absoluteOrPlanned() + "/")
        guard !place.hasPrefix(data), !data.hasPrefix(place) else {
            throw DaemonError(
                .destinationUnusable,
                "a backup in the data directory, or around it, is lost together with it; choose another destination")
        }
    }

    /// Makes the backup; a destination that has one already gets what is new. Durable when this returns.
    ///
    /// - Parameter progress: is told how many segments are seen to, and of how many.
    /// - Throws: `DaemonError.logUnusable` when the log is damaged; `.backupUnusable` when the destination has a backup of
    ///   another log. The backup that was there stays as it was.
    package func run(progress: (_ done: UInt64, _ total: UInt64) -> Void) throws(DaemonError) -> Outcome {
        let directory = try BackupDirectory(writing: destination)
        let previous = try directory.manifest()
        let log = try source.logStorage()
        let listing = try Self.logging { () throws(LogError) in try LogListing(log) }
        let incoming = try directory.incoming()
        var copier = SegmentCopier(
            log: log, directory: directory, incoming: incoming, known: previous?.segments ?? [])
        for (index, header) in listing.headers.enumerated() {
            let following = index + 1 < listing.headers.count ? listing.headers[index + 1] : nil
            try copier.take(header, before: following, isOpen: following == nil && listing.isLastOpen)
            progress(UInt64(index + 1), UInt64(listing.headers.count))
        }
        let segments = try copier.finished()
        // After the log: a key is durable before the first event that names it.
        let keyring: BackupManifest.Keyring?
        do throws(DaemonError) {
            keyring = try directory.copyKeyring(
                source.keyring, after: previous?.keyring,
                KeyringSuccession(log: log, path: source.keyring, earlierPosition: previous?.position ?? 0))
        } catch {
            try directory.removeIncoming()
            throw error
        }
        let manifest = BackupManifest(
            takenAt: SystemWallClock().now(), position: segments.last?.lastPosition ?? 0,
            rootHash: segments.last?.rootAfter ?? SegmentCopy.emptyRoot, segments: segments, keyring: keyring)
        try directory.publish(manifest)
        return Outcome(manifest: manifest, copiedSegments: copier.copiedCount, copiedBytes: copier.copiedBytes)
    }

    static func logging<Value>(_ body: () throws(LogError) -> Value) throws(DaemonError) -> Value {
        do throws(LogError) {
            return try body()
        } catch {
            throw DaemonError(.logUnusable, error.description)
        }
    }
}
