import EventLog

/// Builds the files of a log directory from an input: what a writer does, and what can happen to its files.
///
/// An input is a list of steps, so that a small change of it is a small change of the directory.
struct LogDirectoryScript {
    static let segmentBytesMax: UInt64 = 4096 + 300
    private static let stepsMax = 24
    private static let fileBytesMax = 32 * 1024

    let storage = MemoryLogStorage()
    private var reader: InputReader
    /// The writer, as long as nobody has touched its files.
    private var writer: LogWriter?

    init(_ input: [UInt8]) { reader = InputReader(input) }

    mutating func run() throws {
        var steps = 0
        while !reader.isAtEnd, steps < Self.stepsMax {
            steps += 1
            let step = reader.byte()
            if step & 15 <= 3 {
                try append()
            } else {
                writer = nil
                try change(step & 15)
            }
        }
    }

    /// Appends a batch of up to four records, when the directory can be opened.
    private mutating func append() throws {
        if writer == nil { writer = try openedWriter(storage) }
        let batch = reader.byte()
        let records = (0...batch & 3).map { [UInt8](repeating: batch &+ $0, count: Int(batch >> 2)) }
        do throws(LogError) {
            _ = try writer?.append(records)
        } catch {
            guard case .tooLarge = error else { throw error }
        }
    }

    private mutating func change(_ step: UInt8) throws {
        switch step {
        case 4: markClean(position: reader.integer())
        case 5: markClean(position: UInt64(reader.byte()))
        case 6: edit { bytes, reader in bytes.overwrite(at: offset(&reader, in: bytes), with: reader.byte()) }
        case 7:
            edit { bytes, reader in bytes.overwrite(at: offset(&reader, in: bytes), with: reader.integer(UInt64.self)) }
        case 8: edit { bytes, reader in bytes = Array(bytes.prefix(offset(&reader, in: bytes))) }
        case 9:
            edit { bytes, reader in
                let size = Int(reader.byte())
                bytes += reader.bytes(size)
            }
        case 10:
            edit { bytes, reader in
                let size = Int(reader.byte())
                bytes += FrameRepair.checksum(reader.bytes(size))
            }
        case 11: edit { bytes, _ in repairHeader(&bytes) }
        case 12:
            if let name = fileName() { try storage.remove(name) }
        case 13:
            if let name = fileName() {
                let (bytes, copy) = (storage.bytes(of: name), newName())
                storage.edit(copy) { $0 = bytes }
            }
        case 14: storage.edit(newName()) { $0 = [] }
        default: beginSegment(at: reader.integer())
        }
    }

    private func markClean(position: UInt64) {
        var bytes = [UInt8](repeating: 0, count: 8)
        bytes.overwrite(at: 0, with: position)
        bytes += [0, 0, 0, 0]
        bytes.overwrite(at: 8, with: CRC32C.checksum(Array(bytes.prefix(8))))
        storage.edit("CLEAN") { $0 = bytes }
    }

    private mutating func edit(_ change: (inout [UInt8], inout InputReader) -> Void) {
        guard let name = fileName() else { return }
        storage.edit(name) { bytes in
            change(&bytes, &reader)
            bytes = Array(bytes.prefix(Self.fileBytesMax))
        }
    }

    private mutating func fileName() -> String? {
        let names = fileNames(storage)
        return names.isEmpty ? nil : names[Int(reader.byte()) % names.count]
    }

    /// Mostly a segment's name, of a low position.
    private mutating func newName() -> String {
        switch reader.byte() & 7 {
        case 0: "CLEAN"
        case 1: SegmentHeader.fileName(firstPosition: reader.integer())
        case 2: String(decoding: reader.bytes(24), as: UTF8.self)
        default: SegmentHeader.fileName(firstPosition: UInt64(reader.byte()))
        }
    }

    /// A segment of any position, whose header is right in itself.
    private mutating func beginSegment(at position: UInt64) {
        guard position > 0 else { return }
        let hashes = (0..<(position - 1).nonzeroBitCount).map { _ in [UInt8](repeating: reader.byte(), count: 32) }
        guard let frontier = MerkleFrontier(count: position - 1, hashes: hashes) else { return }
        let header = SegmentHeader(firstPosition: position, frontier: frontier)
        storage.edit(header.fileName) { $0 = header.bytes }
    }
}

/// An offset of the file; half of them lie behind its header.
private func offset(_ reader: inout InputReader, in bytes: [UInt8]) -> Int {
    let number = Int(reader.integer(UInt16.self))
    let header = number & 1 == 1 && bytes.count > SegmentHeader.byteCount ? SegmentHeader.byteCount : 0
    return header + (number >> 1) % max(1, bytes.count - header)
}

private func repairHeader(_ bytes: inout [UInt8]) {
    guard bytes.count >= SegmentHeader.byteCount else { return }
    bytes.overwrite(at: 4092, with: CRC32C.checksum(Array(bytes.prefix(4092))))
}

func fileNames(_ storage: MemoryLogStorage) -> [String] {
    do throws(StorageError) { return try storage.names().sorted() } catch { return [] }
}

/// The writer of a directory; `nil` when it cannot be opened.
func openedWriter(_ storage: MemoryLogStorage) throws -> LogWriter? {
    do throws(LogError) {
        let (tail, _) = try LogRecovery.open(storage)
        return LogWriter(storage: storage, segmentBytesMax: LogDirectoryScript.segmentBytesMax, recovered: tail)
    } catch {
        return nil
    }
}
