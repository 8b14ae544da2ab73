import EventLog

/// Takes up the log's segments one after another: copies what the backup has not, and keeps what it has.
struct SegmentCopier {
    private let log: any LogStorage
    private let directory: BackupDirectory
    private let incoming: PosixLogStorage
    /// What the backup before has, by first positions.
    private var known: [UInt64: BackupManifest.Segment]
    private let knownPosition: UInt64
    private var segments: [BackupManifest.Segment] = []
    private(set) var copiedCount = 0
    private(set) var copiedBytes: UInt64 = 0

    init(
        log: any LogStorage, directory: BackupDirectory, incoming: PosixLogStorage, known: [BackupManifest.Segment]
    ) {
        self.log = log
        self.directory = directory
        self.incoming = incoming
        self.known = Dictionary(known.map { ($0.firstPosition, $0) }) { first, _ in first }
        knownPosition = known.last?.lastPosition ?? 0
    }

    /// - Parameters:
    ///   - following: the next segment's header; `nil` for the last one.
    ///   - isOpen: whether the log may still write to it.
    /// - Throws: `DaemonError.backupUnusable` when the backup has something else in the segment's place.
    mutating func take(
        _ header: SegmentHeader, before following: SegmentHeader?, isOpen: Bool
    ) throws(DaemonError) {
        let known = known.removeValue(forKey: header.firstPosition)
        if let known, known.rootBefore != header.rootText { throw foreign(header) }
        // A segment that was pruned since is another file with the same tree: what it has lost, the backup loses too.
        if let known, known.isSealed, known.edition == header.edition, let following, try isThere(known) {
            // The header stands for all that was recorded before it, this segment too.
            guard following.firstPosition == known.lastPosition + 1, following.rootText == known.rootAfter else {
                throw foreign(header)
            }
            return try append(known)
        }
        let copy = try Backup.logging { () throws(LogError) in
            try SegmentCopy.make(of: header.firstPosition, isOpen: isOpen, from: log, to: incoming)
        }
        if let known, header.edition > known.edition {
            let root = try Backup.logging { () throws(LogError) in
                try SegmentCopy.root(of: header.firstPosition, through: known.lastPosition, in: incoming)
            }
            guard root == known.rootAfter else { throw foreign(header) }
        } else if let known {
            // A log only grows: what the backup has of it is how the segment begins.
            let beginning = try Backup.logging { () throws(LogError) in
                try SegmentCopy.digest(of: header.fileName, byteCount: known.byteCount, in: incoming)
            }
            guard copy.byteCount >= known.byteCount, beginning == known.sha256 else { throw foreign(header) }
        }
        let file = header.fileName.dropLast(".seg".count) + "-" + copy.sha256.prefix(16) + ".seg"
        try directory.accept(header.fileName, asSegment: String(file))
        copiedCount += 1
        copiedBytes += copy.byteCount
        try append(
            BackupManifest.Segment(
                file: String(file), firstPosition: copy.firstPosition, lastPosition: copy.lastPosition,
                byteCount: copy.byteCount, sha256: copy.sha256, rootBefore: copy.rootBefore,
                rootAfter: copy.rootAfter, isSealed: !isOpen, edition: copy.edition))
    }

    /// All segments, when none of the backup's is left over.
    func finished() throws(DaemonError) -> [BackupManifest.Segment] {
        let position = segments.last?.lastPosition ?? 0
        guard known.isEmpty, position >= knownPosition else {
            throw DaemonError(
                .backupUnusable,
                "\(directory.path) has the log up to position \(knownPosition), and the log ends at \(position): it has "
                    + "lost events, or was restored to an earlier position; restore it, or choose another destination")
        }
        return segments
    }

    private mutating func append(_ segment: BackupManifest.Segment) throws(DaemonError) {
        let position = segments.last?.lastPosition ?? 0
        guard segment.firstPosition == position + 1,
            segment.rootBefore == segments.last?.rootAfter ?? SegmentCopy.emptyRoot
        else {
            throw DaemonError(
                .logUnusable,
                "the log is damaged: its segments do not follow each other at position \(position + 1); run "
                    + "`sluice log verify`")
        }
        segments.append(segment)
    }

    private func isThere(_ segment: BackupManifest.Segment) throws(DaemonError) -> Bool {
        try BackupDirectory.writing { () throws(StorageError) in
            guard try directory.segments.names().contains(segment.file) else { return false }
            return try directory.segments.open(segment.file, isWritable: false).size() == segment.byteCount
        }
    }

    private func foreign(_ header: SegmentHeader) -> DaemonError {
        DaemonError(
            .backupUnusable,
            "\(directory.path) is a backup of another log: it differs in segment \(header.fileName); choose another "
                + "destination")
    }
}
