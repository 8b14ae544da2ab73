import CommandHandling
import Domain
import Logging
import Projections

/// The outcome of telling approvers.
enum Asked: Hashable, Sendable {
    case told
    /// No connector accepted it, and no retry is due.
    case untold
    /// The next attempt is due then.
    case waits(Timestamp)

    /// Of both: what waits comes first, so that it is done.
    func joined(_ other: Asked) -> Asked {
        switch (self, other) {
        case (.waits(let one), .waits(let another)): .waits(min(one, another))
        case (.waits, _): self
        case (_, .waits): other
        default: self == .told ? .told : other
        }
    }
}

extension ApprovalNotifier {
    /// Sends a message, when an attempt is due; takes up what is remembered of it.
    func ask(_ label: DeliveryLabel, _ workspace: WorkspaceName) async -> Asked {
        var attempt: UInt32 = 1
        if let known = commands.delivery(label.id) {
            switch known.stage {
            case .delivered, .inFlight: return .told
            case .failed: return .untold
            case .waiting(let time):
                guard time <= commands.clock.now() else { return .waits(time) }
                attempt = known.attempt + 1
            }
        }
        switch await sendOnce(label, .ask, attempt, workspace) {
        case .delivered:
            // Decided while it was on its way.
            if commands.delivery(label.id)?.needsFollowUp == true {
                queue.add(.init(.followUp, label.subject, workspace))
            }
            return .told
        case .waits(let time): return .waits(time)
        case .over: return .untold
        }
    }

    /// Follows up every message about a subject that is decided; what has to be sent again is queued for that time.
    func followUp(_ job: NotificationQueue.Job) async {
        try? await projections.reach(job.position)
        let next = await withTaskGroup(of: Timestamp?.self) { group in
            for known in commands.deliveries(about: job.subject) where known.needsFollowUp {
                group.addTask { await followUp(known) }
            }
            var next: Timestamp?
            for await time in group { next = next.map { min($0, time ?? $0) } ?? time }
            return next
        }
        if let next { queue.add(.init(.followUp, job.subject, job.workspace, due: next)) }
    }

    /// - Returns: the time of the next attempt; `nil` when there is none.
    private func followUp(_ known: DeliveryState) async -> Timestamp? {
        var attempt: UInt32 = 1
        if case .waiting(let time) = known.stage {
            guard time <= commands.clock.now() else { return time }
            attempt = known.attempt + 1
        }
        guard case .waits(let time) = await sendOnce(known.label, .followUp, attempt, known.workspace) else {
            return nil
        }
        return time
    }

    /// What was on its way when the last process ended: nobody knows whether it arrived, so it is sent again.
    func interrupt(_ known: DeliveryState) async {
        let ended = DeliveryEnded(
            label: known.label, purpose: known.purpose, attempt: known.attempt,
            outcome: .failed(
                statusCode: nil, error: "interrupted by a restart", retryAt: commands.clock.now()), latency: .zero)
        await record(.endDelivery(ended), known.workspace)
    }

    /// Has the command carried out; while the writer takes nothing, it waits.
    ///
    /// - Returns: where that is recorded; `nil` when it was not.
    @discardableResult
    func record(_ command: Command, _ workspace: WorkspaceName) async -> Position? {
        while !Task.isCancelled {
            do throws(CommandError) {
                let receipt = try await commands.execute(
                    command, CommandRequest(workspace: workspace, actor: .connectors))
                return receipt.events.isEmpty ? nil : receipt.position
            } catch {
                switch error {
                case .rejected(let rejection):
                    logger.debug("a message was overtaken", metadata: ["reason": "\(rejection.message)"])
                    return nil
                case .stopped, .idempotencyMismatch: return nil
                case .overloaded, .readOnly:
                    logger.warning("a message has to wait", metadata: ["error": "\(error)"])
                    do { try await Task.sleep(for: .seconds(1)) } catch { return nil }
                }
            }
        }
        return nil
    }

    private enum Sent {
        case delivered
        case waits(Timestamp)
        /// Given up, or not to be sent any more.
        case over
    }

    /// One attempt: recorded, made, recorded.
    private func sendOnce(
        _ label: DeliveryLabel, _ purpose: DeliveryPurpose, _ attempt: UInt32, _ workspace: WorkspaceName
    ) async -> Sent {
        let prepared: Prepared
        do {
            guard let found = try await prepare(label, workspace) else { return .over }
            prepared = found
        } catch {
            logger.error("a message could not be written", metadata: ["error": "\(error)"])
            return .over
        }
        let started = DeliveryStarted(label: label, purpose: purpose, attempt: attempt, link: prepared.link)
        guard let position = await record(.startDelivery(started), workspace) else { return .over }
        let start = ContinuousClock.now
        let reading: Reading
        switch purpose {
        case .ask: reading = await ask(prepared)
        case .followUp: reading = await followUp(prepared, workspace, after: position)
        }
        let outcome = outcome(of: reading, attempt)
        let ended = DeliveryEnded(
            label: label, purpose: purpose, attempt: attempt, outcome: outcome,
            latency: start.duration(to: .now))
        // A stop in between leaves the attempt open: the next start takes it up.
        guard !Task.isCancelled, await record(.endDelivery(ended), workspace) != nil else { return .over }
        switch outcome {
        case .delivered: return .delivered
        case .failed(_, let error, let retryAt):
            logger.warning(
                "a message to approvers was not taken",
                metadata: ["connector": "\(label.connectorName)", "attempt": "\(attempt)", "error": "\(error)"])
            return retryAt.map(Sent.waits) ?? .over
        }
    }

    private struct Prepared {
        let connector: ApprovalConnector
        let message: ApprovalMessage
        let link: DecisionLink?
        /// What the service calls the message that is to be followed up.
        let reference: String
    }

    private func prepare(_ label: DeliveryLabel, _ workspace: WorkspaceName) async throws -> Prepared? {
        guard let connector = try await directory.connector(label.connector, in: workspace),
            var message = try await messages.message(label, in: workspace)
        else { return nil }
        // A message that began without a link stays without; one whose connector may not decide any more loses it.
        let known = commands.delivery(label.id)
        let mayDecide = connector.mayDecide(for: message.groups) && known.map { $0.link != nil } ?? true
        if mayDecide { message.link = links.url(label, message.payloadHash, in: workspace) }
        return Prepared(
            connector: connector, message: message,
            link: mayDecide ? links.link(label, message, in: workspace) : nil, reference: known?.reference ?? "")
    }

    private struct Reading {
        let statusCode: UInt32?
        let result: ConnectorReading
        /// The pause that the service asks for before the next attempt.
        var pauseMin: Duration = .zero
    }

    private func ask(_ prepared: Prepared) async -> Reading {
        let (connector, message) = (prepared.connector, prepared.message)
        let request: ConnectorRequest
        do throws(ConnectorProblem) {
            request = try connector.format.ask(message, at: commands.clock.wallTime())
        } catch {
            return Reading(statusCode: nil, result: .refused(error.message, isRetryable: false))
        }
        return await send(request, by: connector, key: "\(message.deliveryID)") {
            connector.format.read($0, to: message)
        }
    }

    /// - Parameter position: of the intent, which stands after the decision: from there on it can be read.
    private func followUp(
        _ prepared: Prepared, _ workspace: WorkspaceName, after position: Position
    ) async -> Reading {
        let (connector, message) = (prepared.connector, prepared.message)
        let request: ConnectorRequest
        do {
            try await projections.reach(position)
            let outcome = try await messages.outcome(message.subject, in: workspace)
            let found = try connector.format.followUp(
                message, outcome ?? ApprovalOutcome(decision: .closed, approver: nil, reason: nil),
                reference: prepared.reference, at: commands.clock.wallTime())
            guard let found else {
                return Reading(
                    statusCode: nil, result: .refused("the message cannot be followed up any more", isRetryable: false))
            }
            request = found
        } catch let problem as ConnectorProblem {
            return Reading(statusCode: nil, result: .refused(problem.message, isRetryable: false))
        } catch {
            return Reading(statusCode: nil, result: .refused("the decision could not be read", isRetryable: true))
        }
        return await send(request, by: connector, key: "\(message.deliveryID)-decided") {
            connector.format.readFollowUp($0)
        }
    }

    private func send(
        _ request: ConnectorRequest, by connector: ApprovalConnector, key: String,
        _ read: (ConnectorAnswer) -> ConnectorReading
    ) async -> Reading {
        do throws(ConnectorSender.Unanswered) {
            let answer = try await sender.send(request, by: connector, key: key)
            let pause = answer.retryAfter.flatMap { RetryAfter.pause($0, at: commands.clock.wallTime()) }
            return Reading(statusCode: answer.status, result: read(answer), pauseMin: pause ?? .zero)
        } catch {
            return Reading(statusCode: nil, result: .refused(error.message, isRetryable: error.isRetryable))
        }
    }

    private func outcome(of reading: Reading, _ attempt: UInt32) -> DeliveryEnded.Outcome {
        switch reading.result {
        case .delivered(let reference): return .delivered(statusCode: reading.statusCode ?? 0, reference: reference)
        case .refused(let error, let isRetryable):
            let pause =
                isRetryable && attempt < DeliveryBackoff.attemptsMax
                ? DeliveryBackoff.pause(afterAttempt: attempt, share: .random(in: 0...1)) : nil
            return .failed(
                statusCode: reading.statusCode, error: error,
                retryAt: pause.map { commands.clock.now().adding(max($0, reading.pauseMin)) })
        }
    }
}
