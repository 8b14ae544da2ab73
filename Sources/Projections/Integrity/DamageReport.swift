package import EventStore
import Synchronization

/// Damage of the read models' file, from the reads and writes that met it to the one who makes the file again.
final class DamageReport: Sendable {
    /// One unread report is enough: they are all answered by the same renewal.
    let reports: AsyncStream<ProjectionError>
    private let continuation: AsyncStream<ProjectionError>.Continuation
    private let isPending = Atomic(false)

    init() {
        (reports, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// True when damage was met since the file was made.
    var isDamaged: Bool { isPending.load(ordering: .acquiring) }

    func report(_ error: ProjectionError) {
        isPending.store(true, ordering: .releasing)
        continuation.yield(error)
    }

    func clear() { isPending.store(false, ordering: .releasing) }
}

extension Projections {
    private static var damagePause: Duration { .milliseconds(200) }

    /// Damage that reads and writes have met, for one reader.
    package var damages: AsyncStream<ProjectionError> { damage.reports }

    /// True from the first read that met damage until the file is made again.
    package var isDamaged: Bool { damage.isDamaged }

    /// Reports damage that a check has found.
    package func reportDamage(_ problem: String) {
        damage.report(ProjectionError(.unreadable, "the file of the read models is damaged: \(problem)"))
    }

    /// Does what reads the read models, again and again while they are damaged: for services that have no caller to
    /// refuse.
    package func untilWhole<Value: Sendable>(_ read: @Sendable () async throws -> Value) async throws -> Value {
        while true {
            do {
                return try await read()
            } catch let error as ProjectionError where error.code == .unreadable {
                try await Task.sleep(for: Self.damagePause)
            }
        }
    }

    /// The same, once everything shows that the log has.
    package func untilWhole<Value: Sendable>(
        showing store: EventStore, _ read: @Sendable () async throws -> Value
    ) async throws -> Value {
        try await untilWhole {
            try await reach(store.durablePosition)
            return try await read()
        }
    }

    /// Reports an error that tells of damage.
    func noting(_ error: ProjectionError) -> ProjectionError {
        if error.code == .unreadable { damage.report(error) }
        return error
    }
}
