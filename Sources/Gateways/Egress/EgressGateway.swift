package import CommandHandling
package import Domain
import Governance
package import Logging
package import Outbound
package import Projections
package import Secrets

/// Stands between agents and tools: no call goes out without an identity, a policy that lets it through, a capability
/// and, where policy asks, a person's approval of exactly those bytes.
package struct EgressGateway: Sendable {
    let commands: CommandHandler
    let projections: Projections
    let vault: SecretVault
    let credentials: CredentialStore
    let consents: Consents
    let client: OutboundClient
    let configuration: EgressConfiguration
    let places: CallPool
    let governance: GovernanceCache
    /// Calls of tools and models that controls end.
    package let inFlight: CallsInFlight
    /// Wakes calls that wait for another one like them.
    package let callEndings = CallEndings()
    let undelivered = UndeliveredCalls()
    /// Calls whose outcome could not be recorded in time.
    let unrecorded: UnrecordedCalls
    let logger: Logger

    package init(
        commands: CommandHandler, projections: Projections, vault: SecretVault, credentials: CredentialStore,
        consents: Consents, client: OutboundClient, configuration: EgressConfiguration, inFlight: CallsInFlight,
        logger: Logger
    ) {
        self.commands = commands
        self.projections = projections
        self.vault = vault
        self.credentials = credentials
        self.consents = consents
        self.client = client
        self.configuration = configuration
        places = CallPool(ShareRule(total: configuration.callsMax, percent: configuration.agentSharePercent))
        governance = GovernanceCache(projections)
        self.inFlight = inFlight
        unrecorded = UnrecordedCalls(commands, logger)
        self.logger = logger
    }

    /// Answers a call: with the tool's answer, with the one that was recorded, or with why it was not made.
    ///
    /// - Throws: `CommandError` and `ProjectionError` when nothing can be recorded or asked at the moment.
    package func answer(_ request: EgressRequest) async throws -> EgressAnswer {
        let place: CallPool.Permit
        do throws(ShareRefusal) {
            place = try places.take(for: CallHolder(request.agent, in: request.workspace, request.actor))
        } catch {
            return .tooManyCalls(error, of: "tools")
        }
        return try await answerInPlace(request).holding(place)
    }

    private func answerInPlace(_ request: EgressRequest) async throws -> EgressAnswer {
        let control = commands.stop(ofAgent: request.agent, tool: request.tool, in: request.workspace)
        if let control { return EndedCall.stopped(control).answer }
        let run: RunState
        switch caller(of: request) {
        case .run(let found): run = found
        case .refused(let answer): return answer
        }
        let subject = CallsInFlight.Subject(
            workspace: run.workspace, agent: run.agentID, run: run.id, tool: request.tool)
        return try await inFlight.begin(subject).answering { try await answerJudged(request, for: run) }
    }

    private func answerJudged(_ request: EgressRequest, for run: RunState) async throws -> EgressAnswer {
        let control = commands.stop(ofAgent: run.agentID, tool: request.tool, in: run.workspace)
        if let control { return EndedCall.stopped(control).answer }
        guard commands.hasAgent(run.agentID, run.workspace) else { return EndedCall.agentDeleted(run.agentID).answer }
        let judged = try await judge(request, of: run.agentID)
        guard let target = judged.target else {
            return try await refuse(request, judged.verdict.rule, of: run)
        }
        let headers: CallHeaders
        do throws(InvalidHeader) { headers = try CallHeaders(request.headers, for: target.tool) } catch {
            return try await refuse(request, .invalidHeaders(error.reason), of: run)
        }
        let asked = AskedCall(request, of: run, to: target, headers, judged)
        return try await answer(asked, judged.verdict)
            .following(ToolReferences(of: target.tool, call: target.url, address: request.address))
    }

    /// Records of the calls that were on their way when the last process ended that nobody knows their outcome.
    ///
    /// - Parameter active: the writer's memory before anything new is asked for.
    package func recordInterrupted(_ active: ActiveState) async throws(CommandError) {
        for run in active.runs.values.sorted(by: { $0.id < $1.id }) {
            for call in run.calls.open {
                _ = try await commands.execute(
                    .recordInterruptedCall(run: run.id, call.id),
                    CommandRequest(workspace: run.workspace, actor: .gateway))
            }
        }
    }

    /// Records calls as unknown whose outcome could not be recorded in time, until the task is cancelled.
    package func recordUnrecorded() async { await unrecorded.run() }

    private func answer(_ asked: AskedCall, _ verdict: Verdict) async throws -> EgressAnswer {
        do {
            return try await answerLive(asked, verdict)
        } catch CommandError.rejected(let rejection) {
            if rejection.code == .attemptSuperseded {
                return .refusal(409, "ATTEMPT_SUPERSEDED", rejection.message, asked.runMember)
            }
            guard let ended = EndedCall(rejection, of: asked.run.id) else { throw CommandError.rejected(rejection) }
            return ended.answer
        }
    }

    private func answerLive(_ asked: AskedCall, _ verdict: Verdict) async throws -> EgressAnswer {
        if let answer = try await missingConsent(asked) { return answer }
        let call = asked.call(commands.newID(), verdict.capability)
        let requirement: RequiredApproval? =
            if case .approvalRequired(_, let approval) = verdict.decision {
                RequiredApproval(approval, durationMax: commands.grantDurationMax)
            } else {
                nil
            }
        let events: [EventPayload]
        do {
            events = try await beginOnce(asked, call, requirement, reason: verdict.rule.reason)
        } catch CommandError.rejected(let rejection) where rejection.code == .approvalPending {
            return pending(rejection, of: asked)
        }
        for event in events {
            switch event {
            case .toolCallStarted(let started):
                return try await delivering(started.call.id, call, asked) { try await make(started.call, asked) }
            case .toolCallReplayed(let replayed):
                if let kept = try await replay(replayed.callID, asked) {
                    return try await delivering(replayed.callID, call, asked) { kept }
                }
                // An approval or a grant let the recorded call be made, and no other.
                guard call.isRepeatable, requirement == nil else { return Self.notKept }
            case .actionBlocked(let blocked): return self.blocked(blocked, run: asked.run)
            case .payloadMismatched(let mismatched): return Self.mismatched(mismatched)
            // A limit of the run ended it.
            case .runStatusChanged(let changed) where changed.status.isFinished:
                return EndedCall.runEnded(asked.run.id, reason: changed.reason).answer
            default: continue
            }
        }
        return try await make(call, asked)
    }

    /// Begins the call once no other like it is in flight, which may be that of an agent's process that was killed.
    func beginInTurn(
        _ asked: AskedCall, _ call: ToolCall, _ requirement: RequiredApproval?, reason: String,
        undelivered: ToolCallID?
    ) async throws -> [EventPayload] {
        do {
            return try await begin(asked, call, requirement, reason: reason, undelivered)
        } catch CommandError.rejected(let rejection) where rejection.code == .callOnItsWay {
            // The other one's end is awaited below, from before the next attempt on.
        }
        let deadline = ContinuousClock.now + timeout(of: asked.tool)
        let endings = callEndings.follow(asked.run.id)
        while true {
            do {
                return try await begin(asked, call, requirement, reason: reason, undelivered)
            } catch CommandError.rejected(let rejection)
                where rejection.code == .callOnItsWay && ContinuousClock.now < deadline
            {
                await endings.next(until: deadline)
                try Task.checkCancellation()
            }
        }
    }

    /// Asks the writer, and again with what there is to show when the call has to wait.
    private func begin(
        _ asked: AskedCall, _ call: ToolCall, _ requirement: RequiredApproval?, reason: String,
        _ undelivered: ToolCallID?
    ) async throws -> [EventPayload] {
        let request = asked.commandRequest
        func begin(_ block: BlockToolCall?) -> Command {
            .beginToolCall(
                run: asked.run.id,
                BeginToolCall(
                    call: call, agentID: asked.run.agentID, tool: asked.identity, requirement: requirement,
                    block: block, claimedActionID: asked.request.header("x-action-id").flatMap { ActionID($0) },
                    earlierFingerprints: asked.earlierFingerprints(of: call), undelivered: undelivered,
                    limits: asked.limits))
        }
        do {
            return try await commands.execute(begin(nil), request).events.map(\.event.payload)
        } catch {
            guard case .rejected(let rejection) = error, rejection.code == .approvalRequired else { throw error }
        }
        let actionID: ActionID = commands.newID()
        let block = BlockToolCall(
            actionID: actionID, requestID: commands.newID(), reason: reason,
            headers: asked.headers.shown, payload: try await sealedBody(asked, actionID))
        let receipt = try await commands.execute(begin(block), request)
        try await projections.reach(receipt.position)
        return receipt.events.map(\.event.payload)
    }

    private func sealedBody(_ asked: AskedCall, _ action: ActionID) async throws -> [UInt8]? {
        guard asked.request.body.count <= configuration.keptBodyBytesMax else { return nil }
        return try await vault.seal(
            asked.request.body, for: .blockedBody(asked.run.workspace, asked.run.id, action),
            at: commands.clock.now())
    }

    /// The recorded answer of a call that was made before; `nil` when it was too large to keep.
    private func replay(_ id: ToolCallID, _ asked: AskedCall) async throws -> EgressAnswer? {
        guard let called = try projections.toolCall(id, of: asked.run.id), let sealed = called.answer,
            let kept = KeptAnswer(try vault.open(sealed, for: .answer(asked.run.workspace, asked.run.id, id)))
        else { return nil }
        return EgressAnswer(
            status: kept.status, headers: kept.headers + [("sluice-replayed", "true")], body: .whole(kept.body))
    }

    private static let notKept = EgressAnswer.refusal(
        502, "ANSWER_NOT_KEPT", "this call was made before, and its answer was too large to keep; it is not made again")

    private func refuse(
        _ request: EgressRequest, _ rule: DecidingRule, of run: RunState
    ) async throws -> EgressAnswer {
        let url = "\(request.path)\(request.query.map { "?" + $0 } ?? "")".excerpt
        let refused = ToolCallRefused(
            toolID: request.tool.excerpt, method: request.method.excerpt, url: url,
            payloadHash: PayloadDigest.sha256(request.body), reason: rule.reason)
        do {
            _ = try await commands.execute(
                .recordRefusedCall(run: run.id, refused),
                CommandRequest(
                    workspace: run.workspace, actor: request.actor, agent: request.acting,
                    attemptID: request.attemptID))
        } catch {
            guard case .rejected(let rejection) = error else { throw error }
            if rejection.code == .attemptSuperseded {
                return .refusal(409, "ATTEMPT_SUPERSEDED", rejection.message)
            }
            guard let ended = EndedCall(rejection, of: run.id) else { throw error }
            return ended.answer
        }
        let members: [JSONValue.Member] = [
            .init(name: "tool", value: .string(request.tool)), .init(name: "rule", value: .string(rule.code)),
        ]
        switch rule {
        case .invalidURL: return .refusal(400, "INVALID_URL", "the call is refused: \(rule.reason)", members)
        case .invalidHeaders: return .refusal(400, "INVALID_HEADERS", "the call is refused: \(rule.reason)", members)
        default: return .refusal(403, "POLICY_DENIED", "the call is not allowed: \(rule.reason)", members)
        }
    }

    private static func mismatched(_ mismatched: PayloadMismatched) -> EgressAnswer {
        let action = JSONValue.Member(name: "action_id", value: .string(mismatched.actionID.description))
        guard mismatched.isOfHeadersAlone else {
            return .refusal(
                409, "PAYLOAD_MISMATCH",
                "payload_hash mismatch: the call came with other bytes than were approved; nothing was sent", [action])
        }
        return .refusal(
            409, "HEADERS_MISMATCH",
            "headers_hash mismatch: the call came with other headers than were approved; nothing was sent", [action])
    }

    private func blocked(_ blocked: ActionBlocked, run: RunState) -> EgressAnswer {
        approvalRequired(
            "tool \"\(blocked.toolID)\" requires approval before it can be used: \(blocked.call?.reason ?? "")",
            ActionState(blocked, attempt: run.calls.attempt), run)
    }
}

extension RequiredApproval {
    /// - Parameter settingsMax: the longest grant where no rule has a duration; `nil` where durations do not matter.
    init(_ approval: ApprovalRequirement, durationMax settingsMax: Duration?) {
        let durationMax = approval.durationMax.map { longest in
            approval.isLimitedBySettings ? min(longest, settingsMax ?? longest) : longest
        }
        self.init(
            name: approval.name, groups: approval.groups, needsEveryGroup: approval.match == .all,
            duration: durationMax.map { min($0, approval.duration) } ?? approval.duration,
            delivery: RequestedDelivery(approval.delivery), needsSignature: approval.needsSignature,
            durationMax: durationMax, mixedClauses: approval.mixedClauses)
    }
}

extension PayloadScope {
    /// The body of a call that was blocked.
    package static func blockedBody(_ workspace: WorkspaceName, _ run: RunID, _ action: ActionID) -> PayloadScope {
        PayloadScope(workspace: workspace, runID: run, name: "blocked-body/\(action)")
    }

    /// The answer to a call.
    static func answer(_ workspace: WorkspaceName, _ run: RunID, _ call: ToolCallID) -> PayloadScope {
        PayloadScope(workspace: workspace, runID: run, name: "answer/\(call)")
    }
}

extension RequestedDelivery {
    /// `nil` when the rule says nothing of it.
    fileprivate init?(_ delivery: ApprovalDelivery) {
        guard !delivery.connectors.isEmpty || delivery.mode != nil || delivery.fallsBackToUI != nil else { return nil }
        self.init(
            connectors: delivery.connectors, mode: delivery.mode, fallsBackToUI: delivery.fallsBackToUI,
            includesDefaults: delivery.includesDefaults)
    }
}
