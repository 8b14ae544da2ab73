package import CommandHandling
package import Domain
package import Logging
import Metrics
package import Projections
import Synchronization

/// Notices keys that have ended, and keys that are used for what their role does not allow.
///
/// Nothing is recorded: whoever has such a key would write to the log with it. Who has none is not noticed at all. Each
/// key is told of once in a while, and what waits to be told of is bounded.
package final class KeyMisuseReporter: Sendable {
    package enum Reason: String, Hashable, Sendable, CaseIterable {
        case revoked, replaced, expired, role
    }

    /// Look-ups of keys that are not known, each second: more is the work of somebody who guesses.
    private static let lookUpsPerSecond: Double = 50
    private static let noticesMax = 256

    let notices: AsyncStream<SecurityNotice>
    private let waiting: AsyncStream<SecurityNotice>.Continuation
    private let commands: CommandHandler
    private let projections: Projections
    private let logger: Logger
    private let limiter = Mutex(NoticeLimiter())
    private let lookUps: Mutex<TokenBucket>
    private let counters: [Reason: Counter]
    private let dropped = Counter(label: "sluice_security_notices_total", dimensions: [("outcome", "dropped")])

    package init(commands: CommandHandler, projections: Projections, logger: Logger) {
        self.commands = commands
        self.projections = projections
        self.logger = logger
        lookUps = Mutex(TokenBucket(burst: Self.lookUpsPerSecond, at: commands.clock.now()))
        (notices, waiting) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.noticesMax))
        counters = Dictionary(
            uniqueKeysWithValues: Reason.allCases.map { reason in
                (reason, Counter(label: "sluice_key_misuse_total", dimensions: [("reason", reason.rawValue)]))
            })
    }

    /// A key that opens nothing came: perhaps one that did once.
    ///
    /// - Parameter route: what was asked for, as a pattern without anybody's values.
    package func unknown(digest: String, route: String?) {
        let now = commands.clock.now()
        let isOverRate = lookUps.withLock { bucket in
            bucket.take(perSecond: Self.lookUpsPerSecond, burst: Self.lookUpsPerSecond, at: now) != nil
        }
        // Read models that cannot be read are told of elsewhere, and the key is refused all the same.
        guard !isOverRate, let key = try? projections.endedAPIKey(digest: digest) else { return }
        report(
            key.id.description, name: key.name, role: key.role, key.workspace, key.isRevoked ? .revoked : .replaced,
            route: route)
    }

    /// A key that has expired, or whose role does not allow what was asked for.
    package func report(
        _ id: String, name: String, role: Role, _ workspace: WorkspaceName, _ reason: Reason, route: String?
    ) {
        counters[reason]?.increment()
        let values: [(String, String?)] = [
            ("key_id", id), ("key_name", name), ("role", role.rawValue), ("reason", reason.rawValue), ("route", route),
        ]
        var notice = SecurityNotice(
            kind: .keyMisuse, id: (commands.newID() as Identifier<EventEntity>).value, time: commands.clock.now(),
            workspace: workspace,
            data: values.compactMap { name, value in value.map { .init(name: name, value: .string($0)) } })
        guard let repetition = notice.repetition,
            let suppressed = limiter.withLock({ $0.pass(repetition, at: notice.time) })
        else { return }
        notice.suppressed = suppressed
        logger.warning(
            "a key was used that may not be",
            metadata: ["key_id": "\(id)", "key_name": "\(name)", "reason": "\(reason.rawValue)"])
        if case .dropped = waiting.yield(notice) { dropped.increment() }
    }
}
