import Domain
import EventLog

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Writes a base beside its later name, and gives it that name once it is whole and durable.
struct BaseWriter: ~Copyable {
    /// The name of what a crash may leave; the next start removes it.
    static let draftSuffix = ".draft"
    private static let bufferBytes = 1 << 20

    private let draft: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var index: [UInt8] = []
    private var entryCount: UInt32 = 0
    private var offset = UInt64(BaseHeader.byteCount)
    private var flushed = UInt64(BaseHeader.byteCount)

    init(directory: String) throws(ProjectionError) {
        draft = "\(directory)/base\(Self.draftSuffix)"
        descriptor = open(draft, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .ofSystem("open \(draft)") }
    }

    deinit { close(descriptor) }

    /// Adds a page; these come by number.
    mutating func add(_ page: UInt32, _ bytes: [UInt8]) throws(ProjectionError) {
        let block = LZ4Block.compress(bytes) ?? bytes
        var stored: [UInt8] = []
        stored.append(integer: UInt16(block.count))
        stored.append(integer: CRC32C.checksum(block))
        stored += block
        try add(page, stored: stored[...])
    }

    /// Adds a page as another base has it.
    mutating func add(_ page: UInt32, stored: ArraySlice<UInt8>) throws(ProjectionError) {
        index.append(integer: page)
        index.append(integer: offset)
        entryCount += 1
        offset += UInt64(stored.count)
        buffer += stored
        if buffer.count >= Self.bufferBytes { try flush() }
    }

    /// Writes the rest, and puts the base in the directory.
    consuming func finish(
        from: Position, to: Position, pageCount: UInt32, mark: BaseMark, in directory: String
    ) throws(ProjectionError) -> BaseFile {
        let header = BaseHeader(
            from: from, to: to, pageCount: pageCount, entryCount: entryCount, indexOffset: offset,
            indexChecksum: CRC32C.checksum(index), mark: mark)
        buffer += index
        try flush()
        try write(header.bytes, at: 0)
        let path = "\(directory)/\(header.fileName)"
        guard fsync(descriptor) == 0, rename(draft, path) == 0 else { throw .ofSystem("rename \(draft)") }
        guard let file = BaseFile(path: path) else { throw .ofSystem("read \(path)") }
        return file
    }

    private mutating func flush() throws(ProjectionError) {
        try write(buffer, at: flushed)
        flushed += UInt64(buffer.count)
        buffer.removeAll(keepingCapacity: true)
    }

    private func write(_ bytes: [UInt8], at offset: UInt64) throws(ProjectionError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                pwrite(
                    descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done,
                    off_t(offset) + off_t(done))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .ofSystem("write \(draft)") }
            done += count
        }
    }
}

extension ProjectionError {
    /// The error that a call of the system has just left.
    static func ofSystem(_ call: String) -> ProjectionError {
        let reason = "\(call): \(String(cString: strerror(errno)))"
        if errno == ENOSPC || errno == EDQUOT {
            return ProjectionError(.noSpace, "there is no space for past read models (\(reason)): free some")
        }
        if errno == EMFILE || errno == ENFILE {
            return ProjectionError(.noDescriptors, "no file descriptor is left (\(reason)): raise `ulimit -n`")
        }
        return ProjectionError(.storage, "past read models cannot be written (\(reason)): check the disk")
    }
}
