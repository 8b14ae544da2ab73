import Domain
import EventStore
import Foundation
import Logging

/// Makes the next base: folds the events after the newest one over it, a page of events at a time, and keeps the pages
/// that differ by then.
///
/// The past read models see to it that one thing is made at a time.
actor BaseMaker {
    private struct Work {
        let projections: Projections
        let goal: Position
        let generation: UInt64
        let editions: UInt64
    }

    private let store: EventStore
    private let live: Projections
    private let chain: BaseChain
    private let rule: BaseRule
    private let logger: Logger
    private var work: Work?
    /// True once no base more fits; until some are given up.
    private var fullSince: UInt64?
    private var number = 0
    /// Bases of the last process that were not read whole yet, newest first.
    private var unverified: [BaseFile] = []

    init(_ store: EventStore, live: Projections, _ chain: BaseChain, _ rule: BaseRule, logger: Logger) {
        self.store = store
        self.live = live
        self.chain = chain
        self.rule = rule
        self.logger = logger
    }

    /// Takes in the bases that the last process has left, as far as they are of this log as it is now.
    func load() async throws {
        guard rule.countMax > 0 else { return try chain.clear() }
        let (durable, editions, store) = (store.durablePosition, try await store.editions(), store)
        try await chain.load { header in
            guard header.to <= durable, header.mark.editions == editions else { return false }
            return try await Self.mark(store, header.to, editions) == header.mark
        }
        unverified = chain.files.reversed()
    }

    /// Does some of the work: verifies a base of the last process, or makes a part of the next one.
    ///
    /// - Returns: whether there is more to do now.
    func step() async throws -> Bool {
        try chain.dropDamaged()
        if let work, work.generation != chain.generation { try discard(work) }
        if let file = unverified.popLast() {
            file.verify()
            return true
        }
        if work == nil { work = try await begin() }
        guard let work else { return false }
        do {
            if try await fold(work) { try await finish(work) }
            return true
        } catch {
            try? discard(work)
            try chain.dropDamaged()
            // What was begun over a base that is damaged is begun again over the one before.
            guard work.generation != chain.generation else { throw error }
            return true
        }
    }

    /// Gives up what was begun.
    func discard() throws { if let work { try discard(work) } }

    private func begin() async throws -> Work? {
        let (top, generation, store, rule) = (chain.top, chain.generation, store, rule)
        guard fullSince != generation else { return nil }
        let now = try await Self.time(store, live.position)
        let step = try await rule.step(from: top, newest: live.position) { position in
            try await Self.time(store, position) >= now.adding(.zero - rule.recent)
        }
        guard let step else { return nil }
        let editions = try await store.editions()
        number += 1
        let path = "\(chain.directory)/making-\(number).sqlite"
        let projections = try Projections.openPast(
            path: path, PastPages(over: try chain.view(for: top)), logger: logger)
        return Work(
            projections: projections, goal: Position(top.value + step), generation: generation, editions: editions)
    }

    /// - Returns: whether the goal is reached.
    private func fold(_ work: Work) async throws -> Bool {
        let projections = work.projections
        let page = try await store.read(
            from: projections.position.next, through: work.goal, limit: EventStore.pageEventsMax)
        if page.isEmpty { try await projections.advance(to: work.goal) } else { try await projections.apply(page) }
        return projections.position == work.goal
    }

    private func finish(_ work: Work) async throws {
        let path = work.projections.path
        // Closing alone would leave pages in the write-ahead log when they do not all fit into the file.
        _ = try await work.projections.settle()
        try work.projections.close()
        guard let pages = PastFileSystem.pages(at: path) else { preconditionFailure("what is made has its pages") }
        let mark = try await Self.mark(store, work.goal, work.editions)
        let file = try Self.write(pages, path, from: pages.view.position, to: work.goal, mark, chain.directory)
        try remove(work)
        guard chain.append(file, since: work.generation) else {
            try FileManager.default.removeItem(atPath: file.path)
            return
        }
        logger.debug("base of past read models made", metadata: ["position": "\(work.goal)"])
        let newest = live.position
        try chain.thin(rule, newest: newest, now: try await Self.time(store, newest))
        guard chain.sizeBytes > rule.bytesMax else { return }
        fullSince = chain.generation
        logger.warning(
            "history-bytes-max leaves no room for more bases", metadata: ["position": "\(chain.top)"])
    }

    private static func write(
        _ pages: PastPages, _ path: String, from: Position, to: Position, _ mark: BaseMark, _ directory: String
    ) throws -> BaseFile {
        guard let file = FileHandle(forReadingAtPath: path) else { throw ProjectionError.ofSystem("open \(path)") }
        defer { try? file.close() }
        var writer = try BaseWriter(directory: directory)
        for page in pages.ownPages {
            try file.seek(toOffset: UInt64(page * PastPages.pageBytes))
            guard let bytes = try file.read(upToCount: PastPages.pageBytes), bytes.count == PastPages.pageBytes else {
                throw ProjectionError(.unreadable, "\(path) ends before its last page; try again in a moment")
            }
            try writer.add(UInt32(page), Array(bytes))
        }
        let size = pages.size(ownFile: Int64(try file.seekToEnd()))
        return try writer.finish(
            from: from, to: to, pageCount: UInt32(Int(size) / PastPages.pageBytes), mark: mark, in: directory)
    }

    private func discard(_ work: Work) throws {
        self.work = nil
        try work.projections.close()
        try remove(work)
    }

    private func remove(_ work: Work) throws {
        self.work = nil
        try Projections.delete(path: work.projections.path)
        PastFileSystem.remove(work.projections.path)
    }

    private static func mark(_ store: EventStore, _ position: Position, _ editions: UInt64) async throws -> BaseMark {
        guard let event = try await store.read(from: position, limit: 1).first?.event else {
            throw ProjectionError(.aheadOfLog, "position \(position) is not in the log")
        }
        return BaseMark(time: event.time, eventID: event.id, editions: editions)
    }

    /// When the event of the position was recorded, or the next one's that is kept.
    private static func time(_ store: EventStore, _ position: Position) async throws -> Timestamp {
        try await store.read(from: position, limit: 1).first?.event.time ?? Timestamp(microseconds: 0)
    }
}
