/// Collects one command's events on a run, each decided in sight of the ones before it.
struct RunDecision {
    private(set) var run: RunState
    private(set) var events: [Event] = []
    let context: DecisionContext

    init(_ run: RunState, _ context: DecisionContext) {
        self.run = run
        self.context = context
    }

    /// Starts a new run with its first event.
    init(creating id: RunID, _ created: RunCreated, _ context: DecisionContext) {
        self.init(RunState(id: id, workspace: context.workspace, created: created), context)
        record(.runCreated(created))
    }

    mutating func record(_ payload: EventPayload) {
        let mark = payload.timelineType(serverDriven: run.isServerDriven).map { _ in
            TimelineMark(sequence: run.timelineSequence + 1, serverDriven: run.isServerDriven)
        }
        let event = context.event(
            events.count, stream: .run(run.id), sequence: run.streamSequence + 1, timeline: mark,
            person: run.userID, payload)
        run.evolve(event)
        events.append(event)
    }

    /// Records an event of another stream in the same command.
    mutating func record(on stream: StreamID, sequence: UInt64, _ payload: EventPayload) {
        events.append(context.event(events.count, stream: stream, sequence: sequence, person: run.userID, payload))
    }

    /// Ends the run as FAILED and closes what still waits, so that nothing can be approved afterwards.
    mutating func fail(reason: String, requests: [AccessRequestID: AccessRequestState]) {
        for action in run.actions where action.status == .blocked || action.status == .approved {
            record(.actionFailed(ActionFailed(actionID: action.id, reason: "run failed: \(reason)")))
            closeRequest(of: action, requests: requests)
        }
        record(.runStatusChanged(RunStatusChanged(status: .failed, reason: reason)))
    }

    /// Expires the pending access request of an action that can no longer be decided.
    mutating func closeRequest(of action: ActionState, requests: [AccessRequestID: AccessRequestState]) {
        guard let id = action.accessRequestID, let request = requests[id], request.isPending else { return }
        record(on: .accessRequest(id), sequence: request.streamSequence + 1, .accessExpired(AccessExpired()))
    }

    /// Sets a paused run RUNNING once nothing blocks it any more.
    mutating func resumeIfUnblocked() {
        guard run.status.isPaused, !run.hasBlockedAction else { return }
        record(.runStatusChanged(RunStatusChanged(status: .running, reason: nil)))
    }
}
