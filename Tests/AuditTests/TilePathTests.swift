import Audit
import Testing

/// Paths as C2SP tlog-tiles writes them.
@Suite struct TilePathTests {
    @Test(arguments: [
        (TilePath(level: 0, index: 0), "0/000"), (TilePath(level: 0, index: 999), "0/999"),
        (TilePath(level: 1, index: 1000), "1/x001/000"), (TilePath(level: 0, index: 1_234_067), "0/x001/x234/067"),
        (TilePath(level: 2, index: 67, count: 8), "2/067.p/8"),
    ])
    func aPathIsWrittenAndRead(_ tile: TilePath, _ text: String) {
        #expect(tile.text == text)
        #expect(TilePath(text) == tile)
    }

    @Test(arguments: [
        "", "/", "0", "0/", "0/0", "0/00", "0/0000", "8/000", "00/000", "-1/000", "0/x000/000", "0/001/000", "0/x001",
        "0/000.p/0", "0/000.p/256", "0/000.p/01", "0/000.p", "0/000/1", "0/\u{0661}00", "0/000.p/8/9", "0/..",
        "0/x999/x999/x999/x999/x999/x999/x999/999",
    ])
    func whatIsNoPathIsRefused(_ text: String) {
        #expect(TilePath(text) == nil)
    }
}
