import CommandHandling
package import Domain

/// Calls whose caller goes away before it has the outcome, and asks again.
extension EgressGateway {
    /// The time in which the end of a connection is noticed, through the relay of an agent's process too, before an
    /// identical call on another one is one of its own.
    private static let departureTime = Duration.milliseconds(250)
    private static let departureInterval = Duration.milliseconds(5)

    /// Begins the call, as the one that it makes again where the caller of that one is gone.
    func beginOnce(
        _ asked: AskedCall, _ call: ToolCall, _ requirement: RequiredApproval?, reason: String
    ) async throws -> [EventPayload] {
        let (run, caller) = (asked.run.id, asked.request.caller)
        let claimed = try await claim(call.fingerprint, of: run, for: caller)
        do {
            let events = try await beginInTurn(asked, call, requirement, reason: reason, undelivered: claimed)
            if let claimed { undelivered.end(claimed, of: run) }
            return events
        } catch {
            if let claimed { undelivered.release(claimed, of: run) }
            throw error
        }
    }

    /// Takes over an identical call whose caller is gone. Waits for callers that may have left a moment ago, and no longer
    /// than they have their outcome.
    private func claim(
        _ fingerprint: UUIDValue, of run: RunID, for caller: CallerPresence
    ) async throws -> ToolCallID? {
        let deadline = ContinuousClock.now + Self.departureTime
        while undelivered.isPending(fingerprint, of: run) {
            if let claimed = undelivered.claim(fingerprint, of: run, for: caller) { return claimed }
            guard ContinuousClock.now < deadline else { return nil }
            try await Task.sleep(for: Self.departureInterval)
        }
        return nil
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
