import Foundation
import GRDBSQLite
import Synchronization

/// The pages of one past database: those that were written to its own file, and those of the bases that it is made over.
///
/// SQLite keeps to its write-ahead log who may read which version of a page; here each page has one.
final class PastPages: Sendable {
    /// SQLite's page size where none is chosen.
    static let pageBytes = 4096

    private struct State {
        /// By page number from 0 on: the pages of the own file.
        var own: [Bool] = []
        var ownCount = 0
        /// The number of pages of the bases that still count.
        var baseCount: Int
    }

    let view: BaseView
    private let state: Mutex<State>

    init(over view: BaseView) {
        self.view = view
        state = Mutex(State(baseCount: view.pageCount))
    }

    /// The pages of a copy of the database, whose own file has the same contents.
    init(copying pages: PastPages) {
        view = pages.view
        state = Mutex(pages.state.withLock { $0 })
    }

    /// The bytes of the own pages.
    var ownBytes: Int { state.withLock { $0.ownCount } * Self.pageBytes }

    /// The numbers of the own pages, from 0 on, in order.
    var ownPages: [Int] {
        state.withLock { state in state.own.indices.filter { state.own[$0] } }
    }

    /// The size of the whole database, of which the own file has so many bytes.
    func size(ownFile bytes: Int64) -> Int64 {
        max(bytes, Int64(state.withLock { $0.baseCount }) * Int64(Self.pageBytes))
    }

    /// Reads a part of one page from the bases.
    ///
    /// - Returns: SQLite's result code; `nil` when the own file has to be read.
    func read(into buffer: UnsafeMutableRawPointer, count: Int, at offset: Int64) -> Int32? {
        let (page, start) = (Int(offset) / Self.pageBytes, Int(offset) % Self.pageBytes)
        guard start + count <= Self.pageBytes else { return SQLITE_IOERR }
        let isOwn = state.withLock { state in
            page >= state.baseCount || page < state.own.count && state.own[page]
        }
        guard !isOwn else { return nil }
        return withUnsafeTemporaryAllocation(byteCount: Self.pageBytes, alignment: 8) { whole in
            guard let isWhole = view.readPage(page, into: whole) else { return nil }
            guard isWhole, let source = whole.baseAddress else { return SQLITE_CORRUPT }
            buffer.copyMemory(from: source + start, byteCount: count)
            return SQLITE_OK
        }
    }

    /// Takes note of pages that were written to the own file; whole pages alone are.
    func noteWritten(count: Int, at offset: Int64) {
        let first = Int(offset) / Self.pageBytes
        state.withLock { state in
            let end = first + count / Self.pageBytes
            if state.own.count < end {
                state.own += repeatElement(false, count: end - state.own.count)
            }
            for page in first..<end where !state.own[page] {
                state.own[page] = true
                state.ownCount += 1
            }
        }
    }

    /// Forgets the pages beyond the size.
    func truncate(to size: Int64) {
        let count = Int(size) / Self.pageBytes
        state.withLock { state in
            state.baseCount = min(state.baseCount, count)
            guard state.own.count > count else { return }
            state.ownCount -= state.own[count...].count(where: \.self)
            state.own.removeSubrange(count...)
        }
    }

    /// Copies the own file, whose write-ahead log is empty, page by page.
    ///
    /// - Returns: the pages of the copy.
    func copy(_ path: String, to target: String) throws -> PastPages {
        let copy = PastPages(copying: self)
        guard FileManager.default.createFile(atPath: target, contents: nil, attributes: [.posixPermissions: 0o600]),
            let source = FileHandle(forReadingAtPath: path), let file = FileHandle(forWritingAtPath: target)
        else { throw ProjectionError.ofSystem("create \(target)") }
        defer {
            try? source.close()
            try? file.close()
        }
        // The file may end with pages that were never written: without them it would be shorter than SQLite left it.
        try file.truncate(atOffset: try source.seekToEnd())
        for page in copy.ownPages {
            try source.seek(toOffset: UInt64(page * Self.pageBytes))
            try file.seek(toOffset: UInt64(page * Self.pageBytes))
            guard let bytes = try source.read(upToCount: Self.pageBytes), bytes.count == Self.pageBytes else {
                throw ProjectionError(.unreadable, "\(path) ends before its last page; try again in a moment")
            }
            try file.write(contentsOf: bytes)
        }
        return copy
    }
}
