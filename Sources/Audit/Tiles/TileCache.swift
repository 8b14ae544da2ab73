/// The full tiles that were used last, as many as lie in 16 MiB at most.
///
/// In two generations: what is used moves to the young one, and once that has half of all the old one is dropped.
struct TileCache: Sendable {
    private static let bytesMax = 16 * 1024 * 1024

    private let generationMax: Int
    private var young: [TilePath: Tile] = [:]
    private var old: [TilePath: Tile] = [:]

    init(tilesMax: Int = bytesMax / Tile.byteCountMax) { generationMax = max(1, tilesMax / 2) }

    subscript(path: TilePath) -> Tile? {
        mutating get {
            if let tile = young[path] { return tile }
            guard let tile = old.removeValue(forKey: path) else { return nil }
            insert(tile, at: path)
            return tile
        }
    }

    mutating func insert(_ tile: Tile, at path: TilePath) {
        if young.count >= generationMax {
            old = young
            young = [:]
        }
        young[path] = tile
    }

    mutating func removeAll() { (young, old) = ([:], [:]) }
}
