import Domain
import TestSupport

/// The agent's side: handlers, their calls, and the ends of their attempts.
extension JournalWorld {
    /// One thread of one handler goes on by a step.
    mutating func moveHandler() throws {
        guard !handlers.isEmpty else { return }
        let index = Int.random(in: handlers.indices, using: &random)
        let ready = handlers[index].threads.indices.filter {
            let thread = handlers[index].threads[$0]
            return !thread.isStopped && !thread.isDone && thread.call == nil
        }
        guard let thread = ready.isEmpty ? nil : random.pick(ready) else { return try finish(index) }
        let step = handlers[index].threads[thread].steps[handlers[index].threads[thread].next]
        try call(step, index, thread)
    }

    private mutating func call(_ step: Step, _ index: Int, _ thread: Int) throws {
        handlers[index].callCount += 1
        let number = bug == .numberInIdentity ? handlers[index].callCount : 0
        let method = step.isPayment ? "POST" : "GET"
        let call = ToolCall(
            id: newID(), toolID: "bank", capability: nil, method: method, url: Self.tool,
            payloadHash: PayloadHash("sha256:\(step.body)"),
            fingerprint: UUIDValue(high: number, low: step.body << 1 | (step.isPayment ? 1 : 0)),
            isRepeatable: !step.isPayment, attempt: active.runs[run]?.calls.attempt)
        let needed = RequiredApproval(name: "rule", groups: [], needsEveryGroup: false, duration: nil)
        let block = BlockToolCall(
            actionID: newID(), requestID: newID(), reason: "", headers: JSONText(verified: "{}"), payload: nil)
        let begin = BeginToolCall(
            call: call, agentID: "payments", tool: .example, requirement: step.needsApproval ? needed : nil,
            block: block)
        let events: [EventPayload]
        do throws(Rejection) {
            let attemptID = bug == .attemptNotFenced ? nil : handlers[index].attemptID
            events = try send(.beginToolCall(run: run, begin), attemptID: attemptID)
        } catch {
            return refuse(error, call, step, index, thread)
        }
        take(events, call, step, index, thread)
    }

    private mutating func refuse(_ error: Rejection, _ call: ToolCall, _ step: Step, _ index: Int, _ thread: Int) {
        switch error.code {
        // It waits, and asks again.
        case .callOnItsWay: break
        case .approvalPending where bug == .pauseNotEnforced && !step.needsApproval:
            perform(call)
            advance(index, thread)
        default:
            handlers[index].isRefused = true
            handlers[index].threads[thread].isStopped = true
        }
    }

    private mutating func take(
        _ events: [EventPayload], _ call: ToolCall, _ step: Step, _ index: Int, _ thread: Int
    ) {
        for event in events {
            switch event {
            case .toolCallReplayed: return advance(index, thread)
            case .toolCallStarted(let started):
                flights[call.id] = Flight(call: started.call, isPayment: step.isPayment)
                handlers[index].threads[thread].call = started.call
                return
            case .actionBlocked(let blocked):
                if blocked.call?.isForUnknownOutcome == true { repeatsAllowed[step.body, default: 0] += 1 }
                handlers[index].blocked.append((blocked.actionID, handlers[index].threads[thread].next))
                handlers[index].isRefused = true
                handlers[index].threads[thread].isStopped = true
                return
            case .payloadMismatched:
                handlers[index].threads[thread].isStopped = true
                return
            default: continue
            }
        }
        // A question: it is answered at once.
        flights[call.id] = Flight(call: call, isPayment: false)
        handlers[index].threads[thread].call = call
    }

    /// A call comes back, or its connection breaks.
    mutating func land() throws {
        guard let id = flights.keys.sorted().randomElement(using: &random), let flight = flights.removeValue(forKey: id)
        else { return }
        let outcome: ToolCalled.Outcome
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<90:
            if flight.isPayment { perform(flight.call) }
            outcome = .answered(statusCode: 200)
        case 90..<95: outcome = .unreached(statusCode: 502, error: "refused")
        default:
            if flight.isPayment, random.chance(50) { perform(flight.call) }
            outcome = .unknown(error: "broke off")
        }
        guard end == nil else { return }
        try send(
            .recordToolCall(
                run: run,
                ToolCalled(call: flight.call, outcome: outcome, latency: .zero, answerBytes: 0, answer: nil)))
        for index in handlers.indices {
            for thread in handlers[index].threads.indices where handlers[index].threads[thread].call?.id == id {
                handlers[index].threads[thread].call = nil
                if case .answered = outcome {
                    advance(index, thread)
                } else if random.chance(50) {
                    continue
                } else {
                    handlers[index].threads[thread].isStopped = true
                    handlers[index].isRefused = true
                }
            }
        }
    }

    mutating func perform(_ call: ToolCall) {
        let body = call.fingerprint.low >> 1
        performed[body, default: 0] += 1
        statistics.payments += 1
    }

    /// A question is asked again as often as chance has it, a payment is not.
    private mutating func advance(_ index: Int, _ thread: Int) {
        let current = handlers[index].threads[thread]
        if !current.steps[current.next].isPayment, random.chance(40) { return }
        handlers[index].threads[thread].next += 1
    }

    /// The handler has come to its end: it answers as an agent may.
    private mutating func finish(_ index: Int) throws {
        let handler = handlers[index]
        guard handler.threads.allSatisfy({ $0.isStopped || $0.isDone }) else { return }
        handlers.remove(at: index)
        guard handler.isLive, end == nil else { return }
        let isWhole = handler.threads.allSatisfy(\.isDone)
        let isRefusedCall = handler.isRefused && !isWhole
        if isRefusedCall { try saveCheckpoint(handler) }
        let isSwallowed =
            isRefusedCall && active.runs[run].map { !$0.dueActions.isEmpty || $0.hasBlockedAction } == true
        if isWhole || isSwallowed && random.chance(60) {
            try send(
                .completeInvoke(
                    run: run,
                    InvokeCompleted(
                        purpose: handler.invoke.purpose, attempt: handler.invoke.attempt, statusCode: 200,
                        response: nil, outcome: isWhole || random.chance(50) ? .finished : .awaitingApproval)))
        } else {
            try send(.failInvoke(run: run, failure(of: handler.invoke, statusCode: random.maybe(500))))
        }
    }

    /// The runtime leaves one checkpoint, under any of the actions that its calls were blocked by, or none.
    private mutating func saveCheckpoint(_ handler: Handler) throws {
        guard !handler.blocked.isEmpty, random.chance(80) else { return }
        let blocked = random.pick(handler.blocked)
        loopCheckpoints[blocked.action] = blocked.step
        try send(
            .saveCheckpoint(
                run: run,
                CheckpointSaved(
                    checkpointID: newID(), actionID: blocked.action.description, document: JSONText(verified: "{}"),
                    restartsHandler: !isLoop)))
    }

    /// The live attempt is cut: its handler goes on, or its process is gone.
    mutating func endAttempt() throws {
        guard let index = handlers.firstIndex(where: \.isLive), end == nil else { return }
        let invoke = handlers[index].invoke
        abandon(index, keepsRunning: random.chance(60))
        try send(.failInvoke(run: run, failure(of: invoke, statusCode: nil)))
    }

    /// The attempt of a handler is over; the handler itself goes on when it is in another process.
    mutating func abandon(_ index: Int, keepsRunning: Bool) {
        handlers[index].isLive = false
        for thread in handlers[index].threads.indices {
            if let call = handlers[index].threads[thread].call, flights[call.id] == nil {
                handlers[index].threads[thread].isStopped = true
            }
            if !keepsRunning { handlers[index].threads[thread].isStopped = true }
        }
    }

    func failure(of invoke: InvokeProgress, statusCode: UInt32?) -> InvokeFailed {
        InvokeFailed(
            purpose: invoke.purpose, attempt: invoke.attempt, statusCode: statusCode, error: "gone", isRetryable: true)
    }
}
