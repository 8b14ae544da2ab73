package import CommandHandling
import Crypto
package import Domain
package import EventStore
package import Logging
import Metrics
package import Outbound
package import Projections

/// Tells connectors of denied calls, payloads that are not the approved ones, and misused keys.
///
/// What is recorded is told of at least once: the log is the queue, and a mark beside it says how far that has come.
/// A message's id is the same each time. What is not recorded waits in memory, and a restart forgets it.
package struct SecurityNotifier: Sendable {
    /// Notices on their way; while there are as many, the log is not read on.
    private static let inFlightMax = 64

    private let commands: CommandHandler
    private let store: EventStore
    private let projections: Projections
    private let directory: ConnectorDirectory
    private let sender: ConnectorSender
    private let misuse: KeyMisuseReporter
    private let mark: NoticeMark
    private let logger: Logger

    package init(
        commands: CommandHandler, store: EventStore, projections: Projections, directory: ConnectorDirectory,
        client: OutboundClient, misuse: KeyMisuseReporter, mark: NoticeMark, logger: Logger
    ) {
        self.commands = commands
        self.store = store
        self.projections = projections
        self.directory = directory
        sender = ConnectorSender(client: client)
        self.misuse = misuse
        self.mark = mark
        self.logger = logger
    }

    /// Runs until its task is cancelled or the store closed.
    ///
    /// - Parameter position: where to begin at the very first start.
    package func run(after position: Position) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await tellOfKeys() }
            group.addTask { try await follow(after: position) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func tellOfKeys() async {
        await withTaskGroup(of: Void.self) { group in
            var count = 0
            for await notice in misuse.notices {
                if count >= Self.inFlightMax {
                    await group.next()
                    count -= 1
                }
                group.addTask { _ = await tell(notice) }
                count += 1
            }
            group.cancelAll()
        }
    }

    private func follow(after position: Position) async throws {
        let known = await mark.load()
        let start = min(known ?? position, position)
        if known == nil { await mark.save(start) }
        let progress = NoticeProgress(at: start, mark)
        await withTaskGroup(of: Void.self) { group in
            var (limiter, count) = (NoticeLimiter(), 0)
            do {
                for try await batch in store.subscribe(after: start) {
                    for recorded in batch {
                        guard let notice = passed(recorded, &limiter) else { continue }
                        if count >= Self.inFlightMax {
                            await group.next()
                            count -= 1
                        }
                        progress.begin(recorded.position)
                        group.addTask {
                            try? await projections.reach(recorded.position)
                            if await tell(notice) { await progress.end(recorded.position) }
                        }
                        count += 1
                    }
                    if let last = batch.last { await progress.read(through: last.position) }
                }
            } catch {
                if !Task.isCancelled {
                    logger.error("security notifications stopped", metadata: ["error": "\(error)"])
                }
            }
            group.cancelAll()
        }
    }

    private func passed(_ recorded: RecordedEvent, _ limiter: inout NoticeLimiter) -> SecurityNotice? {
        guard var notice = SecurityNotice(recorded) else { return nil }
        guard let repetition = notice.repetition else { return notice }
        guard let suppressed = limiter.pass(repetition, at: notice.time) else { return nil }
        notice.suppressed = suppressed
        return notice
    }

    /// - Returns: whether that is over, well or not; `false` when the process ends before.
    private func tell(_ notice: SecurityNotice) async -> Bool {
        do {
            let connectors = try await directory.connectors(named: nil, in: notice.workspace)
                .filter { $0.securityEvents.contains(notice.kind) }
            return await withTaskGroup(of: Bool.self) { group in
                for connector in connectors { group.addTask { await tell(notice, by: connector) } }
                var isOver = true
                for await one in group { isOver = isOver && one }
                return isOver
            }
        } catch {
            if !Task.isCancelled {
                logger.error("connectors could not be told of a security event", metadata: ["error": "\(error)"])
            }
            return !Task.isCancelled
        }
    }

    /// Sends it until it is taken or given up.
    private func tell(_ notice: SecurityNotice, by connector: ApprovalConnector) async -> Bool {
        var attempt: UInt32 = 1
        while true {
            let (error, isRetryable) = await send(notice, by: connector)
            if Task.isCancelled { return false }
            guard let error else {
                Self.count("delivered")
                return true
            }
            let pause = DeliveryBackoff.pause(afterAttempt: attempt, share: .random(in: 0...1))
            logger.warning(
                "a message of a security event was not taken",
                metadata: ["connector": "\(connector.name)", "attempt": "\(attempt)", "error": "\(error)"])
            guard isRetryable, attempt < DeliveryBackoff.attemptsMax else {
                Self.count("given_up")
                return true
            }
            do { try await Task.sleep(for: pause) } catch { return false }
            attempt += 1
        }
    }

    /// - Returns: why it was not taken; nothing when it was.
    private func send(
        _ notice: SecurityNotice, by connector: ApprovalConnector
    ) async -> (error: String?, isRetryable: Bool) {
        let key = Self.messageID(notice, connector)
        let request: ConnectorRequest
        do throws(ConnectorProblem) {
            request = try WebhookFormat(connector).security(notice, id: key, at: commands.clock.wallTime())
        } catch {
            return (error.message, false)
        }
        do throws(ConnectorSender.Unanswered) {
            let answer = try await sender.send(request, by: connector, key: key.text)
            switch WebhookFormat.reading(answer, reference: nil) {
            case .delivered: return (nil, false)
            case .refused(let error, let isRetryable): return (error, isRetryable)
            }
        } catch {
            return (error.message, error.isRetryable)
        }
    }

    private static func count(_ outcome: String) {
        Counter(label: "sluice_security_notices_total", dimensions: [("outcome", outcome)]).increment()
    }

    /// The same for the same event and connector, so that nobody takes it twice.
    private static func messageID(_ notice: SecurityNotice, _ connector: ApprovalConnector) -> UUIDValue {
        let digest = SHA256.hash(data: Array("sluice notice 1\n\(notice.id.text)\n\(connector.id)".utf8))
        guard let value = digest.withUnsafeBytes({ UUIDValue(bytes: UnsafeRawBufferPointer(rebasing: $0[..<16])) })
        else { preconditionFailure("SHA-256 has 32 bytes") }
        return value
    }
}
