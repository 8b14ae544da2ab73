import Foundation

/// The full tiles of a tree, one file each, under the paths of C2SP tlog-tiles.
///
/// They can all be made again from the log, so nothing here is synced: a tile of another length than it should have is
/// as good as none.
struct TileFiles: Sendable {
    private let directory: URL

    init(_ directory: String) { self.directory = URL(fileURLWithPath: directory, isDirectory: true) }

    /// The tile's hashes; `nil` when it is not there whole.
    func read(level: Int, index: UInt64) -> [UInt8]? {
        guard let bytes = try? Data(contentsOf: url(level, index)), bytes.count == TilePath.width * 32 else {
            return nil
        }
        return [UInt8](bytes)
    }

    func write(level: Int, index: UInt64, _ hashes: [UInt8]) throws {
        let url = url(level, index)
        let folder = url.deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(hashes).write(to: url, options: .atomic)
    }

    /// How many tiles of the level are there, without a gap, from the first on.
    func count(level: Int) -> UInt64 {
        func exists(_ index: UInt64) -> Bool { FileManager.default.fileExists(atPath: url(level, index).path) }
        guard exists(0) else { return 0 }
        // They are made in order: the first that is missing is found by doubling, then by halving.
        var high: UInt64 = 1
        while exists(high) { high *= 2 }
        var low = high / 2
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if exists(middle) { low = middle } else { high = middle }
        }
        return high
    }

    func removeAll() throws {
        guard FileManager.default.fileExists(atPath: directory.path) else { return }
        try FileManager.default.removeItem(at: directory)
    }

    private func url(_ level: Int, _ index: UInt64) -> URL {
        directory.appendingPathComponent(TilePath(level: level, index: index).text)
    }
}
