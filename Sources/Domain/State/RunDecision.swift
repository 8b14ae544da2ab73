/// Collects one command's events on a run, each decided in sight of the ones before it.
///
/// The events are folded when the run is read again: a command that causes one event does not copy a long run's journal.
struct RunDecision {
    private var folded: RunState
    private var unfolded: [Event] = []
    private(set) var events: [Event] = []
    let context: DecisionContext
    private var streamSequence: UInt64
    private var timelineSequence: UInt64

    init(_ run: RunState, _ context: DecisionContext) {
        folded = run
        (streamSequence, timelineSequence) = (run.streamSequence, run.timelineSequence)
        self.context = context
    }

    /// The run after the events so far.
    var run: RunState {
        mutating get {
            for event in unfolded { folded.evolve(event) }
            unfolded.removeAll()
            return folded
        }
    }

    /// Starts a new run with its first event.
    init(creating id: RunID, _ created: RunCreated, _ context: DecisionContext) {
        self.init(RunState(id: id, workspace: context.workspace, created: created), context)
        record(.runCreated(created))
    }

    mutating func record(_ payload: EventPayload) {
        let isServerDriven = folded.isServerDriven
        var mark: TimelineMark?
        if payload.timelineType(serverDriven: isServerDriven) != nil {
            timelineSequence += 1
            mark = TimelineMark(sequence: timelineSequence, serverDriven: isServerDriven)
        }
        streamSequence += 1
        let event = context.event(
            events.count, stream: .run(folded.id), sequence: streamSequence, timeline: mark,
            person: folded.userID, payload)
        unfolded.append(event)
        events.append(event)
    }

    /// Records an event of another stream in the same command.
    mutating func record(on stream: StreamID, sequence: UInt64, _ payload: EventPayload) {
        events.append(context.event(events.count, stream: stream, sequence: sequence, person: folded.userID, payload))
    }

    /// Ends the run as FAILED and closes what still waits, so that nothing can be approved afterwards.
    mutating func fail(reason: String, requests: [AccessRequestID: AccessRequestState]) {
        let closed = run.actions.filter { $0.status == .blocked || $0.status == .approved }
        for action in closed {
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
        let run = run
        guard run.status.isPaused, !run.hasBlockedAction else { return }
        record(.runStatusChanged(RunStatusChanged(status: .running, reason: nil)))
    }
}
