import CommandHandling
package import Domain

/// Calls whose caller goes away before it has the outcome, and asks again.
extension EgressGateway {
    /// The time in which the end of a connection is noticed before an identical call on another one is judged.
    private static let departureTime = Duration.milliseconds(20)

    /// Begins the call, as the one that it makes again where the caller of that one is gone.
    func beginOnce(
        _ asked: AskedCall, _ call: ToolCall, _ requirement: RequiredApproval?, reason: String
    ) async throws -> [EventPayload] {
        let (run, caller) = (asked.run.id, asked.request.caller)
        guard undelivered.isPending(call.fingerprint, of: run) else {
            return try await beginInTurn(asked, call, requirement, reason: reason, undelivered: nil)
        }
        try await Task.sleep(for: Self.departureTime)
        let claimed = undelivered.claim(call.fingerprint, of: run, for: caller)
        do {
            let events = try await beginInTurn(asked, call, requirement, reason: reason, undelivered: claimed)
            if let claimed { undelivered.end(claimed, of: run) }
            return events
        } catch {
            if let claimed { undelivered.release(claimed, of: run) }
            throw error
        }
    }

    /// Makes or replays a call, which stays undelivered until its caller has the outcome.
    func delivering(
        _ id: ToolCallID, _ call: ToolCall, _ asked: AskedCall, _ answer: () async throws -> EgressAnswer
    ) async throws -> EgressAnswer {
        let (run, caller) = (asked.run.id, asked.request.caller)
        undelivered.begin(id, call.fingerprint, of: run, for: caller)
        do {
            return try await answer().noting { [undelivered] in
                if !caller.isGone { undelivered.end(id, of: run) }
            }
        } catch {
            undelivered.release(id, of: run)
            throw error
        }
    }

    /// Forgets the calls of runs that have ended.
    package func observe(_ event: Event) {
        callEndings.observe(event)
        guard case .runStatusChanged(let changed) = event.payload, changed.status.isFinished else { return }
        undelivered.forget(RunID(event.stream.id))
    }
}
