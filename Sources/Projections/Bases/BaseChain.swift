import Domain
import Foundation
import Logging
import Metrics
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The bases that there are, each made over the one before it, the first one from the beginning of the log.
///
/// One changes them; any number read them.
final class BaseChain: Sendable {
    private struct State {
        var files: [BaseFile] = []
        /// Grows when bases are dropped: a base that was begun before may stand on one of them and is not added.
        var generation: UInt64 = 0
    }

    let directory: String
    private let state = Mutex(State())
    private let logger: Logger
    private let positionGauge = Gauge(label: "sluice_history_base_position")
    private let bytesGauge = Gauge(label: "sluice_history_bases_bytes")

    init(directory: String, logger: Logger) {
        self.directory = directory
        self.logger = logger
    }

    /// The bases that there are, oldest first.
    var files: [BaseFile] { state.withLock { $0.files } }

    /// Their positions, oldest first.
    var positions: [Position] { state.withLock { $0.files.map(\.header.to) } }

    /// The newest base's position, and zero without one.
    var top: Position { state.withLock { $0.files.last?.header.to ?? .zero } }

    var sizeBytes: Int { state.withLock { $0.files.reduce(0) { $0 + $1.sizeBytes } } }

    var generation: UInt64 { state.withLock { $0.generation } }

    /// The position of the newest base that is not beyond that one.
    func position(for position: Position) -> Position {
        state.withLock { state in state.files.last { $0.header.to <= position }?.header.to ?? .zero }
    }

    /// All pages of the newest base that is not beyond the position.
    func view(for position: Position) throws(ProjectionError) -> BaseView {
        let files = state.withLock { state in Array(state.files.prefix { $0.header.to <= position }) }
        return files.isEmpty ? .empty : try BaseView(files)
    }

    /// Takes in what is in the directory and follows on from the beginning of the log; removes every other base there.
    func load(isRight: @Sendable (BaseHeader) async throws -> Bool) async throws {
        let begun = generation
        var files: [BaseFile] = []
        let found = try Self.paths(in: directory).compactMap { BaseFile(path: $0) }
        // A merged base may be beside those that it was made of.
        while let next = found.filter({ $0.header.from == files.last?.header.to ?? .zero })
            .max(by: { $0.header.to < $1.header.to }), try await isRight(next.header)
        {
            files.append(next)
        }
        let kept = Set(files.map(\.path))
        let superfluous = try Self.paths(in: directory).filter { !kept.contains($0) }
        if !superfluous.isEmpty {
            logger.info("bases of past read models dropped", metadata: ["count": "\(superfluous.count)"])
        }
        try Self.remove(superfluous)
        guard add(files, since: begun) else { return try Self.remove(files.map(\.path)) }
    }

    private func report(_ state: State) {
        positionGauge.record(state.files.last?.header.to.value ?? 0)
        bytesGauge.record(state.files.reduce(0) { $0 + $1.sizeBytes })
    }

    /// Adds a base at the end.
    ///
    /// - Returns: false when bases were dropped since that generation.
    func append(_ file: BaseFile, since generation: UInt64) -> Bool { add([file], since: generation) }

    private func add(_ files: [BaseFile], since generation: UInt64) -> Bool {
        state.withLock { state in
            guard state.generation == generation else { return false }
            state.files += files
            report(state)
            return true
        }
    }

    /// Merges bases as the rule has it.
    func thin(_ rule: BaseRule, newest: Position, now: Timestamp) throws(ProjectionError) {
        while let (first, second, generation) = superfluous(rule, newest, now) {
            let merged = try Self.merged(first, second, in: directory)
            let isCurrent = state.withLock { state in
                guard state.generation == generation,
                    let index = state.files.firstIndex(where: { $0 === first })
                else { return false }
                state.files.replaceSubrange(index...index + 1, with: [merged])
                report(state)
                return true
            }
            try Self.remove(isCurrent ? [first.path, second.path] : [merged.path])
        }
    }

    private func superfluous(
        _ rule: BaseRule, _ newest: Position, _ now: Timestamp
    ) -> (BaseFile, BaseFile, UInt64)? {
        state.withLock { state in
            let spans = state.files.map { file in
                BaseRule.Span(
                    from: file.header.from, to: file.header.to, time: file.header.mark.time, sizeBytes: file.sizeBytes)
            }
            return rule.superfluous(spans, newest: newest, now: now)
                .map { (state.files[$0], state.files[$0 + 1], state.generation) }
        }
    }

    /// Gives all bases up: nothing is made from them any more.
    func clear() throws(ProjectionError) {
        dropAll()
        try Self.remove(Self.paths(in: directory))
        try sync()
    }

    /// Gives all bases up, durably, with everything that failures have left in the directory. Only while nothing is made.
    ///
    /// - Parameter models: the paths of past read models, whose files stay.
    func clear(except models: [String]) throws(ProjectionError) {
        dropAll()
        try Self.remove(Self.files(in: directory).filter { path in !models.contains { path.hasPrefix($0) } })
        try sync()
    }

    /// Has the names in the directory be on the disk as they are now: no removed file comes back with a power cut.
    func sync() throws(ProjectionError) {
        guard FileManager.default.fileExists(atPath: directory) else { return }
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .ofSystem("open \(directory)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .ofSystem("fsync \(directory)") }
    }

    private func dropAll() {
        state.withLock { state in
            state.files = []
            state.generation += 1
            report(state)
        }
    }

    /// Drops the first damaged base and those that were made over it.
    func dropDamaged() throws(ProjectionError) {
        let dropped: [BaseFile] = state.withLock { state in
            guard let index = state.files.firstIndex(where: \.isDamaged) else { return [] }
            let dropped = Array(state.files[index...])
            state.files.removeSubrange(index...)
            state.generation += 1
            report(state)
            return dropped
        }
        guard let first = dropped.first else { return }
        logger.error("damaged base dropped", metadata: ["position": "\(first.header.to)"])
        try Self.remove(dropped.map(\.path))
    }

    /// One base in the place of two: of each page the newer one.
    private static func merged(
        _ first: BaseFile, _ second: BaseFile, in directory: String
    ) throws(ProjectionError) -> BaseFile {
        var writer = try BaseWriter(directory: directory)
        var (old, new) = (try first.entries()[...], try second.entries()[...])
        while let page = [old.first?.page, new.first?.page].compactMap(\.self).min() {
            let (isNew, isOld) = (new.first?.page == page, old.first?.page == page)
            if isNew, let entry = new.popFirst() {
                try writer.add(page, stored: try second.storedPage(at: entry.offset))
            }
            guard isOld, let entry = old.popFirst(), !isNew, page < second.header.pageCount else { continue }
            try writer.add(page, stored: try first.storedPage(at: entry.offset))
        }
        return try writer.finish(
            from: first.header.from, to: second.header.to, pageCount: second.header.pageCount,
            mark: second.header.mark, in: directory)
    }

    private static func paths(in directory: String) throws(ProjectionError) -> [String] {
        try files(in: directory).filter { $0.hasSuffix(".base") }
    }

    private static func files(in directory: String) throws(ProjectionError) -> [String] {
        guard FileManager.default.fileExists(atPath: directory) else { return [] }
        do {
            return try FileManager.default.contentsOfDirectory(atPath: directory).map { "\(directory)/\($0)" }
        } catch {
            throw .wrapping(error)
        }
    }

    private static func remove(_ paths: [String]) throws(ProjectionError) {
        for path in paths {
            guard unlink(path) == 0 || errno == ENOENT else { throw .ofSystem("remove \(path)") }
        }
    }
}
