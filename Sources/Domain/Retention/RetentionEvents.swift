/// A finished run is not kept any more: its records may go from the log, and nothing shows it.
///
/// It is on a stream of its own, under the run's id, because the run's records go and this one stays.
package struct RunExpired: Hashable, Sendable {
    /// What the run has added to a day's sums, which stay.
    package struct Usage: Hashable, Sendable {
        /// Since 1970-01-01, UTC.
        package let day: Int64
        package let runs: UInt32
        package let toolCalls: UInt32

        package init(day: Int64, runs: UInt32, toolCalls: UInt32) {
            self.day = day
            self.runs = runs
            self.toolCalls = toolCalls
        }
    }

    package let runID: RunID
    /// The access requests of the run, whose streams go with it.
    package let accessRequestIDs: [AccessRequestID]
    /// Each day once, in order.
    package let usage: [Usage]

    package init(runID: RunID, accessRequestIDs: [AccessRequestID], usage: [Usage]) {
        self.runID = runID
        self.accessRequestIDs = accessRequestIDs
        self.usage = usage
    }
}

/// Which records go with the runs that have expired.
package struct ExpiredStreams: Sendable {
    private var runs: Set<UUIDValue> = []
    private var accessRequests: Set<UUIDValue> = []

    package init() {}

    package var isEmpty: Bool { runs.isEmpty }
    package var runCount: Int { runs.count }

    package mutating func insert(_ run: RunID, _ requests: [AccessRequestID]) {
        runs.insert(run.value)
        for request in requests { accessRequests.insert(request.value) }
    }

    /// Whether records of the stream may go, as far as it alone tells; whether one does is for `includes`.
    package func mayInclude(_ stream: StreamID) -> Bool {
        switch stream.kind {
        case .run: runs.contains(stream.id)
        case .accessRequest: accessRequests.contains(stream.id)
        // What connectors sent for runs is on their own streams.
        case .approvalConnector: true
        case .agent, .tool, .policy, .modelProvider, .apiKey, .answer, .secret, .identityProvider, .deployDraft,
            .settings, .modelAlias, .analysis, .build, .person, .expiry, .keyLoss, .control:
            false
        }
    }

    /// Whether the event goes. What calls of models have cost is kept: budgets and bills are made of it.
    package func includes(_ event: Event) -> Bool {
        if case .modelCalled = event.payload { return false }
        switch event.stream.kind {
        case .run: return runs.contains(event.stream.id)
        case .accessRequest: return accessRequests.contains(event.stream.id)
        case .approvalConnector: return event.payload.correlatedRunID.map { runs.contains($0.value) } ?? false
        case .agent, .tool, .policy, .modelProvider, .apiKey, .answer, .secret, .identityProvider, .deployDraft,
            .settings, .modelAlias, .analysis, .build, .person, .expiry, .keyLoss, .control:
            return false
        }
    }
}
