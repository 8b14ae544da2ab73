import CommandHandling
import Domain
import Governance
import Logging
import Metrics
import NIOCore
import Projections
import Secrets

/// Records the model responses that an attempt of a run receives, and gives them to later attempts.
///
/// Costs a run's first attempt no write of its own: the response goes to the log with the record of its call.
struct ModelJournal: Sendable {
    enum Beginning {
        /// An earlier attempt received this response.
        case replayed(EgressAnswer)
        case refused(EgressAnswer)
        /// The model is asked; `nil` when its response is not recorded.
        case asked(JournaledCall?)
    }

    private static let partBytes = 16 * 1024

    let commands: CommandHandler
    let projections: Projections
    let vault: SecretVault
    let answerBytesMax: Int
    let logger: Logger

    /// Decides what becomes of a model call of a run.
    ///
    /// - Parameter isJournaled: False when operator or agent have turned recording off; the turn is checked all the same, as
    ///   it is for runs that clients drive.
    func begin(_ request: LLMRequest, of run: CallingRun?, isJournaled: Bool) async throws -> Beginning {
        let caller = request.caller
        guard let run, caller.acting != nil || run.agentID == caller.agent else { return .asked(nil) }
        let identity = ModelCallIdentity.make(
            operation: request.operation.rawValue, provider: request.provider, body: request.body)
        do {
            guard isJournaled, run.isServerDriven, run.agentID == caller.agent else {
                try check(nil, request, of: run)
                return .asked(nil)
            }
            let taken = try await take(identity, request, of: run)
            if let answer = taken?.answer { return .replayed(replay(answer)) }
            return .asked(
                JournaledCall(
                    journal: self, run: run, callID: taken?.id ?? commands.newID(), identity: identity))
        } catch CommandError.rejected(let rejection) {
            switch rejection.code {
            case .attemptSuperseded: return .refused(.refusal(409, "ATTEMPT_SUPERSEDED", rejection.message))
            case .journalFull: return .refused(.refusal(409, "JOURNAL_FULL", rejection.message))
            default:
                guard let ended = EndedCall(rejection, of: run.id) else { throw CommandError.rejected(rejection) }
                return .refused(ended.answer)
            }
        }
    }

    /// The recorded call that this one repeats, taken for the live attempt, and its response; `nil` when there is none.
    ///
    /// The response is read first: a call that is taken and cannot be answered would be lost to this attempt.
    private func take(
        _ identity: UUIDValue, _ request: LLMRequest, of run: CallingRun
    ) async throws -> (id: ModelCallID, answer: KeptAnswer?)? {
        // Only later attempts take what an attempt adds: with no entry left nothing has to be written.
        guard let next = next(identity, of: run) else {
            try check(identity, request, of: run)
            return nil
        }
        let answer = try recorded(next, of: run)
        let receipt = try await commands.execute(
            .takeModelCall(run: run.id, Self.taking(identity, request, run)), Self.sent(request, run))
        for case .modelCallReplayed(let replayed) in receipt.events.map(\.event.payload) {
            let id = replayed.callID
            // A parallel call like this one may have taken the other entry.
            return (id, id == next ? answer : try recorded(id, of: run))
        }
        return nil
    }

    private func next(_ identity: UUIDValue, of run: CallingRun) -> ModelCallID? {
        commands.activeRun(run.id).flatMap { $0.modelCalls.next(identity, in: $0.calls)?.id }
    }

    private func check(_ identity: UUIDValue?, _ request: LLMRequest, of run: CallingRun) throws(CommandError) {
        try commands.check(
            .takeModelCall(run: run.id, Self.taking(identity, request, run)), Self.sent(request, run))
    }

    private static func taking(_ identity: UUIDValue?, _ request: LLMRequest, _ run: CallingRun) -> TakeModelCall {
        TakeModelCall(agentID: run.agentID, identity: identity, requestID: request.caller.requestID)
    }

    private static func sent(_ request: LLMRequest, _ run: CallingRun) -> CommandRequest {
        CommandRequest(
            workspace: run.workspace, actor: request.caller.actor, agent: request.caller.acting,
            attemptID: request.caller.requestID, traceparent: request.caller.traceparent)
    }

    /// The recorded response; `nil` when it was too large to keep, or its key is destroyed.
    private func recorded(_ id: ModelCallID, of run: CallingRun) throws -> KeptAnswer? {
        guard let sealed = try projections.modelAnswer(id, of: run.id) else { return nil }
        do throws(SecretsError) {
            return KeptAnswer(try vault.open(sealed, for: .modelAnswer(run.workspace, run.id, id)))
        } catch {
            guard error.code == .keyDestroyed else { throw error }
            return nil
        }
    }

    private func replay(_ answer: KeptAnswer) -> EgressAnswer {
        Counter(label: "sluice_model_calls_replayed_total").increment()
        let whole = EgressAnswer(
            status: answer.status, headers: answer.headers + [("sluice-replayed", "true")], body: .whole(answer.body))
        guard whole.isEventStream else { return whole }
        return EgressAnswer(status: whole.status, headers: whole.headers, body: Self.streamed(answer.body))
    }

    private static func streamed(_ bytes: [UInt8]) -> EgressAnswer.Body {
        .streamed { write in
            for start in stride(from: 0, to: bytes.count, by: partBytes) {
                try await write(ByteBuffer(bytes: bytes[start..<min(start + partBytes, bytes.count)]))
            }
        }
    }
}

/// A model call whose response is recorded.
struct JournaledCall: Sendable {
    fileprivate let journal: ModelJournal
    fileprivate let run: CallingRun
    fileprivate let callID: ModelCallID
    let identity: UUIDValue

    /// A copy of what the caller gets, up to the limit.
    var copy: AnswerCopy { AnswerCopy(bytesMax: journal.answerBytesMax) }

    /// The response as it is recorded: without its bytes when they exceed the limit, or there is no key to seal them.
    func answer(_ status: Int, _ headers: [(name: String, value: String)], _ copy: AnswerCopy) async -> ModelAnswer {
        var sealed: [UInt8]?
        if let body = copy.bytes {
            do {
                sealed = try await journal.vault.seal(
                    KeptAnswer(status: status, headers: headers, body: body).bytes,
                    for: .modelAnswer(run.workspace, run.id, callID), at: journal.commands.clock.now())
            } catch {
                journal.logger.error(
                    "failed to seal a model response",
                    metadata: ["run": "\(run.id)", "call": "\(callID)", "error": "\(error)"])
            }
        }
        return ModelAnswer(callID: callID, identity: identity, attempt: run.attempt, sealed: sealed)
    }
}

extension PayloadScope {
    /// The response of a model.
    static func modelAnswer(_ workspace: WorkspaceName, _ run: RunID, _ call: ModelCallID) -> PayloadScope {
        PayloadScope(workspace: workspace, runID: run, name: "model-answer/\(call)")
    }
}
