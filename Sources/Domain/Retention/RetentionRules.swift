extension ActiveState {
    /// Says that a finished run is not kept any more.
    ///
    /// The memory has unfinished runs only, so that the caller says which run it is and what it comes to; what can be told
    /// here is that nothing of it is open.
    func expireRun(_ expired: RunExpired, _ context: DecisionContext) throws(Rejection) -> [Event] {
        let id = expired.runID
        guard runs[id] == nil else {
            throw Rejection(.invalidTransition, "run \(id) is not finished: only finished runs expire")
        }
        guard !accessRequests.values.contains(where: { $0.requested.run?.runID == id }) else {
            throw Rejection(.invalidTransition, "an access request of run \(id) has not ended yet")
        }
        guard !deliveries.all.contains(where: { $0.label.subject.runID == id }) else {
            throw Rejection(.invalidTransition, "a message about run \(id) is on its way")
        }
        return [context.event(0, stream: .expiry(of: id), sequence: 1, .runExpired(expired))]
    }

    /// Whether something of the run is in the memory.
    package func remembers(_ expired: RunExpired) -> Bool {
        runs[expired.runID] != nil || expired.accessRequestIDs.contains { accessRequests[$0] != nil }
            || deliveries.all.contains { $0.label.subject.runID == expired.runID }
    }

    /// What was read of it, in a log that has lost some of its records already, is of no use.
    mutating func evolveExpiry(_ expired: RunExpired) {
        forgetRun(expired.runID, expired.accessRequestIDs)
    }
}
