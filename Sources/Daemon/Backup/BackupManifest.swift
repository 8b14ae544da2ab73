package import Domain
import EventStreaming

/// What a backup holds. It is written last: a file that it does not name is none of the backup's.
package struct BackupManifest: Hashable, Sendable {
    static let fileName = "manifest.json"
    static let bytesMax: UInt64 = 64 * 1024 * 1024
    private static let formatVersion: UInt64 = 1

    package struct Segment: Hashable, Sendable {
        /// In `log/`; its name has the beginning of its hash, because a file of a backup never changes.
        let file: String
        let firstPosition: UInt64
        let lastPosition: UInt64
        let byteCount: UInt64
        let sha256: String
        /// The RFC 6962 tree head of all records before it, lower-case hex.
        let rootBefore: String
        let rootAfter: String
        /// Whether it was full: the log's own file does not change any more either.
        let isSealed: Bool
        /// How often it was pruned.
        let edition: UInt32
    }

    package struct Keyring: Hashable, Sendable {
        let file: String
        let byteCount: UInt64
        let sha256: String
    }

    package let takenAt: Timestamp
    /// The last position in it; 0 for an empty log.
    package let position: UInt64
    /// The RFC 6962 tree head of all its records, lower-case hex.
    package let rootHash: String
    package let segments: [Segment]
    package let keyring: Keyring?

    package var byteCount: UInt64 { segments.reduce(keyring?.byteCount ?? 0) { $0 + $1.byteCount } }
}

extension BackupManifest {
    var json: JSONText {
        .object { json in
            json.add("format", Self.formatVersion)
            json.add("sluice", SluiceVersion.text)
            json.add("taken_at", takenAt)
            json.add("position", position)
            json.add("root_hash", rootHash)
            json.add(
                "segments",
                segments.map { segment in
                    JSONText.object { json in
                        json.add("file", segment.file)
                        json.add("first_position", segment.firstPosition)
                        json.add("last_position", segment.lastPosition)
                        json.add("bytes", segment.byteCount)
                        json.add("sha256", segment.sha256)
                        json.add("root_before", segment.rootBefore)
                        json.add("root_after", segment.rootAfter)
                        json.add("sealed", segment.isSealed)
                        if segment.edition > 0 { json.add("edition", UInt64(segment.edition)) }
                    }
                })
            guard let keyring else { return }
            json.add(
                "keyring",
                JSONText.object { json in
                    json.add("file", keyring.file)
                    json.add("bytes", keyring.byteCount)
                    json.add("sha256", keyring.sha256)
                })
        }
    }

    /// Reads a manifest.
    ///
    /// - Throws: `DaemonError.backupUnusable` for anything else, a newer format too.
    init(parsing bytes: [UInt8]) throws(DaemonError) {
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: bytes) } catch { throw Self.malformed("\(error)") }
        guard let format = value["format"]?.natural else { throw Self.malformed("it has no format") }
        guard format == Self.formatVersion else {
            throw DaemonError(
                .backupUnusable,
                "the backup has format \(format), and this sluice reads format \(Self.formatVersion): upgrade it")
        }
        guard value[ManifestChecksum.member] == nil || ManifestChecksum.isRight(bytes) else {
            throw Self.malformed("its checksum does not match")
        }
        // A flipped bit in an optional member's name would make it a member of no meaning.
        if let unknown = value.names(beside: Self.members) ?? value["keyring"]?.names(beside: Keyring.members) {
            throw Self.malformed("it has a member \(unknown)")
        }
        guard let time = value["taken_at"]?.string.flatMap(Timestamp.init(rfc3339:)),
            let position = value["position"]?.natural, let root = value["root_hash"]?.string,
            case .array(let items)? = value["segments"]
        else { throw Self.malformed("a member is missing") }
        (takenAt, self.position, rootHash) = (time, position, root)
        var segments: [Segment] = []
        for item in items {
            guard let segment = Segment(item) else { throw Self.malformed("a segment is not described") }
            segments.append(segment)
        }
        self.segments = segments
        keyring = try value["keyring"].map { value throws(DaemonError) in
            guard let keyring = Keyring(value) else { throw Self.malformed("the keyring is not described") }
            return keyring
        }
    }

    private static let members: Set = [
        "format", "sluice", "taken_at", "position", "root_hash", "segments", "keyring", ManifestChecksum.member,
    ]

    private static func malformed(_ reason: String) -> DaemonError {
        DaemonError(
            .backupUnusable, "the backup's \(fileName) is malformed (\(reason)); make a new backup in another place")
    }
}

extension BackupManifest.Segment {
    private static let members: Set = [
        "file", "first_position", "last_position", "bytes", "sha256", "root_before", "root_after", "sealed", "edition",
    ]

    fileprivate init?(_ value: JSONValue) {
        guard value.names(beside: Self.members) == nil, let file = value["file"]?.fileName,
            let first = value["first_position"]?.natural,
            let last = value["last_position"]?.natural, let bytes = value["bytes"]?.natural,
            let sha256 = value["sha256"]?.string, let before = value["root_before"]?.string,
            let after = value["root_after"]?.string, case .bool(let isSealed)? = value["sealed"],
            let edition = UInt32(exactly: value["edition"]?.natural ?? 0)
        else { return nil }
        self.init(
            file: file, firstPosition: first, lastPosition: last, byteCount: bytes, sha256: sha256,
            rootBefore: before, rootAfter: after, isSealed: isSealed, edition: edition)
    }
}

extension BackupManifest.Keyring {
    fileprivate static let members: Set = ["file", "bytes", "sha256"]

    fileprivate init?(_ value: JSONValue) {
        guard let file = value["file"]?.fileName, let bytes = value["bytes"]?.natural,
            let sha256 = value["sha256"]?.string
        else { return nil }
        self.init(file: file, byteCount: bytes, sha256: sha256)
    }
}

extension JSONValue {
    fileprivate var natural: UInt64? { if case .number(let text) = self { UInt64(text) } else { nil } }

    /// A member's name that is not among these.
    fileprivate func names(beside known: Set<String>) -> String? {
        guard case .object(let members) = self else { return nil }
        return members.first { !known.contains($0.name) }?.name
    }

    /// A name that leads nowhere else.
    fileprivate var fileName: String? {
        guard let text = string, !text.isEmpty, !text.contains("/"), text != ".", text != ".." else { return nil }
        return text
    }
}
