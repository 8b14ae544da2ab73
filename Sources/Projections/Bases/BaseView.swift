import Domain

/// All pages of the read models at one base: for each the newest of the bases up to there that has it.
final class BaseView: Sendable {
    private static let offsetBits: UInt64 = 44

    /// The view that an empty database is made over.
    static let empty = BaseView(files: [], locations: [])

    /// The bases, oldest first; the last one's position is that of the view.
    private let files: [BaseFile]
    /// By page number from 0 on: one more than the base's index, above the offset in it; 0 where there is none.
    private let locations: [UInt64]

    var position: Position { files.last?.header.to ?? .zero }
    var pageCount: Int { locations.count }
    /// True once something of it was read that is not as it was written.
    var isDamaged: Bool { files.contains(where: \.isDamaged) }

    private init(files: [BaseFile], locations: [UInt64]) {
        self.files = files
        self.locations = locations
    }

    /// - Parameter files: a chain that begins with the log.
    init(_ files: [BaseFile]) throws(ProjectionError) {
        var locations = [UInt64](repeating: 0, count: Int(files.last?.header.pageCount ?? 0))
        for (index, file) in files.enumerated() {
            for entry in try file.entries() where Int(entry.page) < locations.count {
                locations[Int(entry.page)] = UInt64(index + 1) << Self.offsetBits | entry.offset
            }
        }
        self.files = files
        self.locations = locations
    }

    /// Reads the page into the buffer; `nil` when no base has it, false when it is damaged.
    func readPage(_ page: Int, into buffer: UnsafeMutableRawBufferPointer) -> Bool? {
        guard page < locations.count, locations[page] > 0 else { return nil }
        let location = locations[page]
        let file = files[Int(location >> Self.offsetBits) - 1]
        return file.readPage(at: location & (1 << Self.offsetBits - 1), into: buffer)
    }
}
