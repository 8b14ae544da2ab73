import Domain
import EventLog
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A base on the disk: the pages of the read models at one position that differ from those at the base before it.
///
/// Each page is compressed by itself and has a checksum. The file is open as long as something reads it, so that it can
/// be removed meanwhile.
final class BaseFile: Sendable {
    /// The offset of a page in the file.
    struct Entry: Hashable {
        static let byteCount = 12

        let page: UInt32
        let offset: UInt64
    }

    /// Length and checksum of what follows. A page that does not shrink is kept as it is.
    static let blockHeaderByteCount = 6

    let path: String
    let header: BaseHeader
    let sizeBytes: Int
    private let descriptor: Int32
    private let damaged = Atomic(false)

    /// Opens a base and checks its header and index.
    ///
    /// - Returns: `nil` when it is not as it was written, or cannot be read.
    init?(path: String) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        self.path = path
        self.descriptor = descriptor
        var status = stat()
        guard fstat(descriptor, &status) == 0,
            let header = BaseHeader(Self.read(descriptor, at: 0, count: BaseHeader.byteCount))
        else {
            close(descriptor)
            return nil
        }
        self.header = header
        sizeBytes = Int(status.st_size)
        guard (try? entries()) != nil else { return nil }
    }

    deinit { close(descriptor) }

    /// True once something of it was read that is not as it was written.
    var isDamaged: Bool { damaged.load(ordering: .relaxed) }

    /// The pages that it holds, by number.
    func entries() throws(ProjectionError) -> [Entry] {
        let count = Int(header.entryCount) * Entry.byteCount
        let bytes = Self.read(descriptor, at: header.indexOffset, count: count)
        guard bytes.count == count, CRC32C.checksum(bytes) == header.indexChecksum else { throw damage() }
        return (0..<Int(header.entryCount)).map { index in
            let place = index * Entry.byteCount
            return Entry(page: bytes.integer(at: place), offset: bytes.integer(at: place + 4))
        }
    }

    /// Reads the page at that offset; false when it is not as it was written.
    func readPage(at offset: UInt64, into page: UnsafeMutableRawBufferPointer) -> Bool {
        let bytes = Self.read(descriptor, at: offset, count: Self.blockHeaderByteCount + PastPages.pageBytes)
        guard let block = Self.block(bytes), block.count == page.count || Self.decompress(block, page) else {
            damaged.store(true, ordering: .relaxed)
            return false
        }
        if block.count == page.count { block.withUnsafeBytes { page.copyMemory(from: $0) } }
        return true
    }

    /// The bytes that stand for the page at that offset, to be written to another file as they are.
    func storedPage(at offset: UInt64) throws(ProjectionError) -> ArraySlice<UInt8> {
        let bytes = Self.read(descriptor, at: offset, count: Self.blockHeaderByteCount + PastPages.pageBytes)
        guard let block = Self.block(bytes) else { throw damage() }
        return bytes[..<block.endIndex]
    }

    /// Reads all of it, and notes whether it is damaged.
    func verify() {
        guard let entries = try? entries() else { return }
        for entry in entries where (try? storedPage(at: entry.offset)) == nil { return }
    }

    private func damage() -> ProjectionError {
        damaged.store(true, ordering: .relaxed)
        return ProjectionError(.unreadable, "the base \(path) is damaged: it is made again; try again in a moment")
    }

    private static func block(_ bytes: [UInt8]) -> ArraySlice<UInt8>? {
        guard bytes.count > blockHeaderByteCount else { return nil }
        let length = Int(bytes.integer(at: 0) as UInt16)
        guard length > 0, bytes.count >= blockHeaderByteCount + length else { return nil }
        let block = bytes[blockHeaderByteCount..<blockHeaderByteCount + length]
        return CRC32C.checksum(block) == bytes.integer(at: 2) as UInt32 ? block : nil
    }

    private static func decompress(_ block: ArraySlice<UInt8>, _ page: UnsafeMutableRawBufferPointer) -> Bool {
        guard let bytes = LZ4Block.decompress(block, rawCount: page.count) else { return false }
        bytes.withUnsafeBytes { page.copyMemory(from: $0) }
        return true
    }

    /// As many bytes as there are, up to the count.
    private static func read(_ descriptor: Int32, at offset: UInt64, count: Int) -> [UInt8] {
        guard let place = Int64(exactly: offset) else { return [] }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while initialized < count {
                let done = pread(
                    descriptor, buffer.baseAddress.map { $0 + initialized }, count - initialized,
                    off_t(place) + off_t(initialized))
                if done < 0, errno == EINTR { continue }
                guard done > 0 else { return }
                initialized += done
            }
        }
    }
}
