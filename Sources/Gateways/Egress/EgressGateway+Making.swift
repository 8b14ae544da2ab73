import CommandHandling
import Domain
import Governance
import Logging
import Outbound
import Projections
import Secrets

/// The outcome of a call could not be recorded in time.
private struct OutcomeUnrecorded: Error {}

/// Making a call that is allowed, and recording what came of it before the agent hears of it.
extension EgressGateway {
    private enum Result {
        case head(OutboundResponse)
        /// The tool did not get the call, for all that can be known.
        case unreached(status: Int, code: String, error: String)
        /// It may have got it.
        case unknown(error: String)
        /// It may have got it, and its answer is none.
        case malformed(error: String)
    }

    func make(_ call: ToolCall, _ asked: AskedCall) async throws -> EgressAnswer {
        do {
            return try await makeRecorded(call, asked)
        } catch is OutcomeUnrecorded {
            return .refusal(
                503, "OUTCOME_UNRECORDED",
                "the tool may have carried out the call, and its answer cannot be recorded at the moment; the same call "
                    + "waits for a person's approval if the outcome stays unknown")
        }
    }

    private func makeRecorded(_ call: ToolCall, _ asked: AskedCall) async throws -> EgressAnswer {
        let start = ContinuousClock.now
        let (result, redactor) = await send(call, asked)
        let action = call.actionID.map { [JSONValue.Member(name: "action_id", value: .string($0.description))] } ?? []
        func record(_ outcome: ToolCalled.Outcome, bytes: UInt64 = 0, answer: [UInt8]? = nil) async throws {
            let called = ToolCalled(
                call: call, outcome: outcome, latency: start.duration(to: .now), answerBytes: bytes, answer: answer)
            try await self.record(called, asked)
        }
        switch result {
        case .unreached(let status, let code, let error):
            try await record(.unreached(statusCode: UInt32(status), error: error))
            return .refusal(status, code, error, action)
        case .unknown(let error):
            try await record(.unknown(error: error))
            return .refusal(504, "TOOL_BROKE_OFF", "the tool did not answer: \(error)", action)
        case .malformed(let error):
            try await record(.unknown(error: error))
            return .refusal(502, "TOOL_BROKE_OFF", "the tool's answer cannot be read: \(error)", action)
        case .head(let response):
            return try await answer(response, call, asked, redactor) { try await record($0, bytes: $1, answer: $2) }
        }
    }

    /// Reads the answer, and records it first; one that is long, or has no end, is recorded when that is seen, and goes
    /// on to the agent as it comes.
    private func answer(
        _ response: OutboundResponse, _ call: ToolCall, _ asked: AskedCall, _ redactor: Redactor,
        _ record: (ToolCalled.Outcome, UInt64, [UInt8]?) async throws -> Void
    ) async throws -> EgressAnswer {
        let status = response.status
        var headers = redactor.redact(
            headers: ForwardedHeaders.ofAnswer(response.headers, isHead: call.method == "HEAD"))
        if let action = call.actionID { headers.append(("sluice-action", action.description)) }
        let isStream = response.mediaType == "text/event-stream"
        let chunks = AnswerChunks(response, silenceMax: timeout(of: asked.tool), redactor: redactor)
        let begun: AnswerChunks.Beginning
        do {
            begun = isStream ? .part([]) : try await chunks.begin(upTo: configuration.keptAnswerBytesMax)
        } catch {
            let description = redactor.redact("\(error)")
            try await record(.unknown(error: "the answer broke off: \(description)"), 0, nil)
            return .refusal(502, "TOOL_BROKE_OFF", "the tool's answer broke off: \(description)")
        }
        switch begun {
        case .whole(let body):
            let kept = KeptAnswer(status: status, headers: headers, body: body)
            try await record(.answered(statusCode: UInt32(status)), UInt64(body.count), await sealed(kept, call, asked))
            return EgressAnswer(status: status, headers: headers, body: .whole(body))
        case .part(let body):
            try await record(.answered(statusCode: UInt32(status)), UInt64(body.count), nil)
            let limit = configuration.answerBytesMax
            return EgressAnswer(
                status: status, headers: headers,
                body: .streamed { try await chunks.write(after: body, upTo: limit, to: $0) })
        }
    }

    /// The answer as it is kept; `nil` when there is no key for it: the tool has done what it was asked, and that is
    /// what has to be recorded.
    private func sealed(_ answer: KeptAnswer, _ call: ToolCall, _ asked: AskedCall) async -> [UInt8]? {
        do {
            return try await vault.seal(
                answer.bytes, for: .answer(asked.run.workspace, asked.run.id, call.id), at: commands.clock.now())
        } catch {
            logger.error(
                "an answer cannot be sealed, and is not kept", metadata: ["call": "\(call.id)", "error": "\(error)"])
            return nil
        }
    }

    func timeout(of tool: GovernedTool) -> Duration { tool.timeout ?? configuration.timeout }

    /// Records the outcome before the agent learns it: an unrecorded call is worse than a delayed response.
    ///
    /// Retries while nothing can be written, but not for long: a call that waits holds a place that others need. It then
    /// stays open, and is recorded as unknown once the writer takes commands.
    ///
    /// - Throws: `OutcomeUnrecorded` after `recordingTimeout`.
    private func record(_ called: ToolCalled, _ asked: AskedCall) async throws {
        let deadline = ContinuousClock.now + configuration.recordingTimeout
        var pause = Duration.milliseconds(50)
        while true {
            let receipt: Receipt
            do throws(CommandError) {
                receipt = try await commands.execute(.recordToolCall(run: asked.run.id, called), asked.commandRequest)
            } catch {
                switch error {
                case .overloaded, .readOnly:
                    guard ContinuousClock.now + pause < deadline else { throw giveUp(called, asked, error) }
                    try await Task.sleep(for: pause)
                    pause = min(pause * 2, .seconds(2))
                case .rejected(let rejection) where rejection.code == .runNotActive:
                    // The run was ended meanwhile, and does not change any more.
                    return logger.warning(
                        "a call of a tool outlasted its run",
                        metadata: ["run": "\(asked.run.id)", "call": "\(called.call.id)"])
                default: throw error
                }
                continue
            }
            // Whoever is told of the answer may ask for it again at once.
            return try await projections.reach(receipt.position)
        }
    }

    private func giveUp(_ called: ToolCalled, _ asked: AskedCall, _ error: CommandError) -> OutcomeUnrecorded {
        logger.error(
            "outcome of a call not recorded",
            metadata: ["run": "\(asked.run.id)", "call": "\(called.call.id)", "error": "\(error)"])
        unrecorded.append(called.call.id, of: asked.run)
        return OutcomeUnrecorded()
    }

    /// The key of the call's occurrence: stable over the run's attempts, and the same when a call of unknown outcome is
    /// repeated. `nil` for a safe call.
    private func idempotencyKey(_ call: ToolCall, _ run: RunState) -> String? {
        guard let occurrence = call.occurrence, !["GET", "HEAD"].contains(call.method) else { return nil }
        return "\(run.id)-\(call.fingerprint.text)-\(occurrence - 1)"
    }

    /// Sends the call with its credentials, and once more when these were stale.
    ///
    /// - Returns: the redactor for what the tool says, beside the result.
    private func send(_ call: ToolCall, _ asked: AskedCall) async -> (Result, Redactor) {
        let bare = OutgoingCall(
            method: call.method, url: call.url,
            headers: ForwardedHeaders.ofCall(
                asked.headers, of: asked.tool, run: asked.run, idempotencyKey: idempotencyKey(call, asked.run)),
            body: asked.request.body)
        do throws(CredentialError) {
            let injector = try injector(for: asked)
            let first = try await injector.apply(to: bare)
            var redactor = Redactor(injector, bare: bare, sent: first)
            let result = await send(first, asked.tool, redactor)
            guard case .head(let response) = result, response.status == 401,
                injector.mayRenew(after: first)
            else { return (result, redactor) }
            let second = try await injector.apply(to: bare)
            redactor = Redactor(injector, bare: bare, sent: second)
            return (await send(second, asked.tool, redactor), redactor)
        } catch {
            return (.unreached(status: 502, code: "CREDENTIALS_UNUSABLE", error: error.description), .none)
        }
    }

    private func send(_ call: OutgoingCall, _ tool: GovernedTool, _ redactor: Redactor) async -> Result {
        let hasBody = !call.body.isEmpty || ["POST", "PUT", "PATCH"].contains(call.method)
        do throws(OutboundError) {
            let response = try await client.execute(
                OutboundRequest(
                    call.method, call.url, headers: call.headers, body: hasBody ? call.body : nil,
                    addresses: AddressPolicy(isInternal: tool.isInternal),
                    limits: OutboundLimits(
                        headTimeout: timeout(of: tool), totalTimeout: OutboundLimits.streamTimeout,
                        bodyBytesMax: configuration.answerBytesMax)))
            return redactor.unsearchable(response).map { .malformed(error: $0) } ?? .head(response)
        } catch {
            let description = redactor.redact("\(error)")
            switch error {
            case .addressRefused(let refusal):
                let reason = refusal.reason(allowing: "the tool with spec.connection.topology")
                return .unreached(status: 403, code: "ADDRESS_REFUSED", error: "tool \"\(tool.name)\": \(reason)")
            case .invalidRequest(let reason):
                return .unreached(status: 400, code: "REQUEST_INVALID", error: "the call cannot be sent: \(reason)")
            case .altered:
                logger.critical("outbound request altered; nothing sent", metadata: ["tool": "\(tool.name)"])
                return .unreached(status: 500, code: "REQUEST_ALTERED", error: description)
            case .malformed: return .malformed(error: description)
            case _ where error.isNeverSent:
                return .unreached(
                    status: 502, code: "TOOL_UNREACHABLE", error: "the tool cannot be reached: \(description)")
            default: return .unknown(error: description)
            }
        }
    }
}
