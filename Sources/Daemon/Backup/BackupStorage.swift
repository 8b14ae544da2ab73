import EventLog

/// A backup seen as a log's directory, to read it as one.
struct BackupStorage: LogStorage {
    private let files: any LogStorage
    private let fileNames: [String: String]

    init(_ directory: BackupDirectory, _ manifest: BackupManifest) {
        files = directory.segments
        fileNames = Dictionary(
            manifest.segments.map { (SegmentHeader.fileName(firstPosition: $0.firstPosition), $0.file) }
        ) { first, _ in first }
    }

    func names() -> [String] { Array(fileNames.keys) }

    func open(_ name: String, isWritable: Bool) throws(StorageError) -> any LogFile {
        guard !isWritable else { throw Self.readOnly }
        guard let file = fileNames[name] else {
            throw StorageError(kind: .notFound, description: "open \(name): the backup has no such segment")
        }
        return try files.open(file, isWritable: false)
    }

    func create(_ name: String) throws(StorageError) -> any LogFile { throw Self.readOnly }

    func remove(_ name: String) throws(StorageError) { throw Self.readOnly }

    func rename(_ name: String, to target: String) throws(StorageError) { throw Self.readOnly }

    func syncDirectory() {}

    private static var readOnly: StorageError {
        StorageError(kind: .notPermitted, description: "a backup is written by a backup alone")
    }
}
