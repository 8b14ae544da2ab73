import EventLog
import EventStore

/// Reads a whole backup and checks that it is what its manifest says, and a log that is whole.
package struct BackupVerification: Sendable {
    package struct Report: Sendable {
        package let manifest: BackupManifest
        /// Everything that is not as it was written.
        package let problems: [String]
        /// Keys that the master key opens; `nil` when none was given.
        package let openedKeys: Int?
    }

    let directory: BackupDirectory
    let manifest: BackupManifest

    /// - Throws: `DaemonError.notFound` where there is no backup, `.backupUnusable` for a manifest that is none.
    package init(_ path: String) throws(DaemonError) {
        directory = try BackupDirectory(reading: path)
        guard let manifest = try directory.manifest() else {
            throw DaemonError(.notFound, "there is no backup in \(path): it has no \(BackupManifest.fileName)")
        }
        self.manifest = manifest
    }

    /// The log in it.
    var storage: BackupStorage { BackupStorage(directory, manifest) }

    /// - Parameter masterKeyFile: a copy of the master key; with one, it is proved that it opens every key, and that the
    ///   keyring has every key that the log needs.
    package func run(
        masterKeyFile: String? = nil, progress: (_ done: UInt64, _ total: UInt64) -> Void
    ) throws(DaemonError) -> Report {
        var problems: [String] = []
        for segment in manifest.segments {
            let name = "log/" + segment.file
            problems += try check(
                segment.file, name, segment.byteCount, segment.sha256, in: directory.segments)
        }
        if let keyring = manifest.keyring {
            problems += try check(
                keyring.file, keyring.file, keyring.byteCount, keyring.sha256, in: directory.files)
        }
        // What is in a file that is not the right one says nothing more.
        if problems.isEmpty { problems = try checkLog(progress) }
        guard problems.isEmpty, let masterKeyFile else {
            return Report(manifest: manifest, problems: problems, openedKeys: nil)
        }
        let keys = try BackupKeyCheck(backup: self).run(masterKeyFile: masterKeyFile)
        return Report(manifest: manifest, problems: keys.problems, openedKeys: keys.opened)
    }

    private func checkLog(_ progress: (UInt64, UInt64) -> Void) throws(DaemonError) -> [String] {
        let report = try BackupDirectory.reading { () throws(LogError) in
            try LogVerifier.verify(
                storage,
                inspect: { position, record in
                    do throws(EventStoreError) {
                        _ = try EventCodec.decode(record, at: position)
                        return nil
                    } catch {
                        return error.description
                    }
                }, progress: progress)
        }
        var problems = report.problems.map(\.description)
        if report.records != manifest.position {
            problems.append("the manifest ends at position \(manifest.position), and the segments at \(report.records)")
        }
        if problems.isEmpty, report.rootHash != manifest.rootHash {
            problems.append("the tree head of the segments is \(report.rootHash), not the manifest's")
        }
        return problems
    }

    private func check(
        _ file: String, _ shown: String, _ byteCount: UInt64, _ sha256: String, in storage: any LogStorage
    ) throws(DaemonError) -> [String] {
        let size = try BackupDirectory.writing { () throws(StorageError) -> UInt64? in
            guard try storage.names().contains(file) else { return nil }
            return try storage.open(file, isWritable: false).size()
        }
        guard let size else { return ["\(shown) is missing"] }
        guard size == byteCount else { return ["\(shown) has \(size) bytes, not \(byteCount)"] }
        let digest = try BackupDirectory.reading { () throws(LogError) in
            try SegmentCopy.digest(of: file, byteCount: byteCount, in: storage)
        }
        return digest == sha256 ? [] : ["\(shown) is not as it was written: its SHA-256 differs"]
    }
}
