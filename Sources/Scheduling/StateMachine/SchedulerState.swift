import DequeModule
package import Domain
import HeapModule

/// Says which commands are due. Pure: events and times go in, commands come out; no clock, no chance, no waiting.
///
/// It holds no truth of its own: it folds the same events as the writer, so that a restart at any point comes to the
/// same commands. Only runs that an event or a timer touched are looked at.
package struct SchedulerState: Sendable {
    /// A command with the workspace it is for.
    package struct Due: Hashable, Sendable {
        package let workspace: WorkspaceName
        package let command: Command
    }

    private struct AgentKey: Hashable {
        let workspace: WorkspaceName
        let agentID: String
    }

    private enum Subject: Hashable {
        case run(RunID)
        case access(AccessRequestID)
    }

    private struct Timer: Comparable {
        let time: Timestamp
        let subject: Subject

        static func < (left: Self, right: Self) -> Bool { left.time < right.time }
    }

    private let configuration: SchedulerConfiguration
    private var active: ActiveState
    private var timers = Heap<Timer>()
    /// The latest time that was asked about: the timers of deadlines up to there have gone off.
    private var latest = Timestamp(microseconds: .min)
    private var touched: [Subject] = []
    private var isTouched: Set<Subject> = []
    /// Runs with an invoke in flight or asked for, and how many of them each agent has.
    private var busy: [RunID: AgentKey] = [:]
    private var busyCounts: [AgentKey: Int] = [:]
    /// Runs that wait for their agent to have room, first come, first served, each once.
    private var waiting: [AgentKey: Deque<RunID>] = [:]
    private var isWaiting: Set<RunID> = []
    /// The times at which the agents of unfinished runs answered; none of before the start.
    private var answered: [RunID: Timestamp] = [:]
    /// Agents that have room again, in the order they got it.
    private var freed: [AgentKey] = []

    /// Takes up the writer's memory; everything in it is looked at once.
    package init(_ active: ActiveState, _ configuration: SchedulerConfiguration) {
        self.active = active
        self.configuration = configuration
        for run in active.runs.values.sorted(by: { $0.id < $1.id }) {
            if run.openInvoke != nil { occupy(run) }
            for deadline in deadlines(of: .run(run.id)) { timers.insert(Timer(time: deadline, subject: .run(run.id))) }
            touch(.run(run.id))
        }
        for request in active.accessRequests.values.sorted(by: { $0.id < $1.id }) {
            timers.insert(Timer(time: request.expiresAt, subject: .access(request.id)))
        }
        touchLostGrants()
    }

    /// When something is due at the latest; `nil` when only an event can make it so.
    package var nextDeadline: Timestamp? {
        touched.isEmpty && freed.isEmpty ? timers.min?.time : Timestamp(microseconds: 0)
    }

    /// Folds one event.
    package mutating func on(_ event: Event) {
        switch event.payload {
        // What a run tells of itself, most events by far, changes nothing that could make something due.
        case .runEventAdded, .toolResultRecorded, .answerRecorded, .toolCallReplayed, .toolCallRefused,
            .payloadMismatched, .modelAnswerRecorded, .modelCallReplayed, .modelCalled, .deliveryStarted,
            .deliveryEnded, .decisionLinkUsed, .sourcesAnalyzed, .buildRequested,
            .buildStarted, .buildFinished, .runExpired, .keyLossAccepted:
            return
        // Of the calls those count that carry out an approved action.
        case .toolCallStarted(let started) where started.call.actionID == nil: return
        case .toolCalled(let called) where called.call.actionID == nil: return
        default: active.evolve(event)
        }
        switch event.payload {
        case .runCreated(let created):
            timers.insert(Timer(time: created.deadline, subject: .run(RunID(event.stream.id))))
        case .actionBlocked(let blocked):
            timers.insert(Timer(time: blocked.expiresAt, subject: .run(RunID(event.stream.id))))
        case .accessRequested, .accessApproved:
            let id = AccessRequestID(event.stream.id)
            if let request = active.accessRequests[id] {
                timers.insert(Timer(time: request.expiresAt, subject: .access(id)))
            }
        case .invokeRequested:
            if let run = active.runs[RunID(event.stream.id)] { occupy(run) }
        case .invokeCompleted, .invokeFailed:
            release(RunID(event.stream.id))
            answered[RunID(event.stream.id)] = event.time
        case .apiKeyRevoked: touchLostGrants()
        case .resourceDeleted(let deleted) where deleted.kind == .agent:
            touchRuns(of: .agent(deleted.name, in: event.workspace))
        case .controlStopped(let stopped): touchRuns(of: stopped.key(in: event.workspace))
        case .controlStarted(let started): touchRuns(of: started.key(in: event.workspace))
        default: break
        }
        guard event.stream.kind == .run else { return }
        let id = RunID(event.stream.id)
        if active.runs[id] == nil {
            release(id)
            answered[id] = nil
        } else {
            touch(.run(id))
        }
    }

    /// The commands that are due now; each is given once, until an event or `postpone` brings it back.
    package mutating func due(at now: Timestamp) -> [Due] {
        latest = max(latest, now)
        while let timer = timers.min, timer.time <= now {
            timers.removeMin()
            touch(timer.subject)
        }
        compactTimers()
        var due: [Due] = []
        var next = 0
        while next < touched.count {
            let subject = touched[next]
            next += 1
            isTouched.remove(subject)
            switch subject {
            case .run(let id): if let run = active.runs[id] { due += examine(run, now) }
            case .access(let id): if let request = active.accessRequests[id] { due += examine(request, now) }
            }
        }
        touched.removeAll(keepingCapacity: true)
        return due + callWaiting(now)
    }

    /// The writer did not take the command: what it was about is looked at again at `time`.
    ///
    /// That holds for a refusal too: when things have moved on, the event that moved them makes the look harmless;
    /// when a clock set back made the writer refuse, the look is what brings the command again. Should the clock
    /// have been set back by then, nothing is due at that look: so deadlines that have passed before are awaited anew.
    package mutating func giveBack(_ due: Due, retryAt time: Timestamp) {
        let subject: Subject
        switch due.command {
        case .requestInvoke(let run, _):
            release(run)
            subject = .run(run)
        case .failRun(let run, _), .expireAction(let run, _), .failInvoke(let run, _): subject = .run(run)
        case .expireAccess(let request): subject = .access(request)
        default: return
        }
        timers.insert(Timer(time: time, subject: subject))
        for deadline in deadlines(of: subject) where deadline > time && deadline <= latest {
            timers.insert(Timer(time: deadline, subject: subject))
        }
    }

    /// When a run or a request is due for an end, whatever else happens.
    private func deadlines(of subject: Subject) -> [Timestamp] {
        switch subject {
        case .access(let id): active.accessRequests[id].map { [$0.expiresAt] } ?? []
        case .run(let id):
            active.runs[id].map { run in
                [run.deadline] + run.actions.filter { $0.status == .blocked }.map(\.expiresAt)
            } ?? []
        }
    }

    /// Has the grants ended that count no more. The gate has ignored them since; this is for their readers.
    private mutating func touchLostGrants() {
        let lost = active.accessRequests.values.filter { active.lostStanding(ofGrantOf: $0) != nil }
        for request in lost.sorted(by: { $0.id < $1.id }) { touch(.access(request.id)) }
    }

    private mutating func touchRuns(of key: ControlKey) {
        touchRuns { key.covers(agent: $0.agentID, in: $0.workspace) }
    }

    private mutating func touchRuns(where condition: (RunState) -> Bool) {
        for id in active.runs.values.filter(condition).map(\.id).sorted() { touch(.run(id)) }
    }

    private mutating func examine(_ request: AccessRequestState, _ now: Timestamp) -> [Due] {
        guard request.expiresAt <= now || active.lostStanding(ofGrantOf: request) != nil else { return [] }
        return [Due(workspace: request.workspace, command: .expireAccess(request: request.id))]
    }

    private mutating func examine(_ run: RunState, _ now: Timestamp) -> [Due] {
        if run.deadline <= now { return [due(run, .failRun(run: run.id, reason: "the run timed out"))] }
        if run.isServerDriven, !active.isCurrent(agentOf: run) {
            return [due(run, .failRun(run: run.id, reason: "agent \(run.agentID) was deleted"))]
        }
        if let expired = run.actions.first(where: { $0.status == .blocked && $0.expiresAt <= now }) {
            return [due(run, .expireAction(run: run.id, action: expired.id))]
        }
        if let stop = active.stop(ofAgent: run.agentID, in: run.workspace) { return examine(run, under: stop) }
        guard run.isServerDriven, run.status == .running, busy[run.id] == nil, run.openInvoke == nil else { return [] }
        switch nextInvoke(run, now) {
        case .none: return []
        case .later(let time):
            timers.insert(Timer(time: time, subject: .run(run.id)))
            return []
        case .giveUp(let reason): return [due(run, .failRun(run: run.id, reason: reason))]
        case .now(let requested):
            guard !isWaiting.contains(run.id) else { return [] }
            let key = AgentKey(workspace: run.workspace, agentID: run.agentID)
            guard waiting[key] == nil, occupy(run) else {
                isWaiting.insert(run.id)
                waiting[key, default: []].append(run.id)
                return []
            }
            return [due(run, .requestInvoke(run: run.id, requested))]
        }
    }

    /// A stop cancels its runs, or ends their attempts: the next ones wait for the start.
    private func examine(_ run: RunState, under stop: ControlState) -> [Due] {
        guard stop.holdsRuns else { return [due(run, .failRun(run: run.id, reason: "cancelled: \(stop.description)"))] }
        guard let open = run.openInvoke else { return [] }
        let failed = InvokeFailed(
            purpose: open.purpose, attempt: open.attempt, statusCode: nil, error: stop.description, isRetryable: true,
            isStopped: true)
        return [due(run, .failInvoke(run: run.id, failed))]
    }

    /// Gives the freed places to the runs that wait for them. A run that no longer wants its place leaves the line,
    /// and the next one is asked.
    private mutating func callWaiting(_ now: Timestamp) -> [Due] {
        var due: [Due] = []
        while let key = freed.popLast() {
            while busyCounts[key, default: 0] < configuration.agentConcurrencyMax,
                var line = waiting.removeValue(forKey: key), let next = line.popFirst()
            {
                isWaiting.remove(next)
                if let run = active.runs[next] { due += examine(run, now) }
                if !line.isEmpty { waiting[key] = line }
            }
        }
        return due
    }

    private enum NextInvoke {
        case none
        case now(InvokeRequested)
        case later(Timestamp)
        case giveUp(String)
    }

    private func nextInvoke(_ run: RunState, _ now: Timestamp) -> NextInvoke {
        guard let last = run.lastInvoke else { return .now(attempt(.start, run)) }
        switch last.stage {
        case .open: return .none
        case .completed:
            guard let purpose = run.nextPurpose else { return .none }
            guard run.attemptsWithoutProgress < configuration.invokeAttemptsMax else {
                return .giveUp(Self.ignored(run))
            }
            // The cause, such as a tool that is down, may pass.
            let count = run.attemptsWithoutProgress
            guard count > 0, let time = answered[run.id] else { return .now(attempt(purpose, run)) }
            let dueTime = time.adding(Backoff.pause(afterAttempt: count, of: run.id, configuration))
            return dueTime <= now ? .now(attempt(purpose, run)) : .later(dueTime)
        case .failed(let time, let isRetryable, let error):
            return invoke(of: run, afterFailureAt: time, isRetryable: isRetryable, error, now)
        }
    }

    private func invoke(
        of run: RunState, afterFailureAt time: Timestamp, isRetryable: Bool, _ error: String, _ now: Timestamp
    ) -> NextInvoke {
        let count = run.attemptsWithoutProgress
        guard let purpose = run.purpose(afterFailedInvokeThatIs: isRetryable) else {
            guard isRetryable, case .resume(let action)? = run.lastInvoke?.purpose else {
                return .giveUp("the invoke failed: \(error)")
            }
            return .giveUp("the invoke failed after action \(action) was closed: \(error)")
        }
        // An agent that does not know a checkpoint has not failed at its task: its handler starts again at once.
        guard isRetryable else { return .now(attempt(purpose, run)) }
        guard count < configuration.invokeAttemptsMax else {
            return .giveUp("the invoke failed after \(count) attempts: \(error)")
        }
        let dueTime = time.adding(Backoff.pause(afterAttempt: count, of: run.id, configuration))
        return dueTime <= now ? .now(attempt(purpose, run)) : .later(dueTime)
    }

    private static func ignored(_ run: RunState) -> String {
        let actions = run.dueActions.map(\.id.description).joined(separator: ", ")
        return
            "the agent answered \(run.attemptsWithoutProgress) times without carrying out approved action \(actions): "
            + "its handler has to repeat the call that was answered APPROVAL_REQUIRED, with the same bytes, and the "
            + "policies and the tool have to take it"
    }

    /// The request id names the attempt: what is sent with another one belongs to an attempt that is over.
    private func attempt(_ purpose: InvokePurpose, _ run: RunState) -> InvokeRequested {
        let number = run.calls.attempt + 1
        return InvokeRequested(purpose: purpose, attempt: number, requestID: "req-\(run.id)-\(number)")
    }

    private func due(_ run: RunState, _ command: Command) -> Due { Due(workspace: run.workspace, command: command) }

    private mutating func touch(_ subject: Subject) {
        if isTouched.insert(subject).inserted { touched.append(subject) }
    }

    /// Takes a place with the run's agent; `false` when there is none.
    @discardableResult
    private mutating func occupy(_ run: RunState) -> Bool {
        guard busy[run.id] == nil else { return true }
        let key = AgentKey(workspace: run.workspace, agentID: run.agentID)
        let isRecorded = run.openInvoke != nil
        guard isRecorded || busyCounts[key, default: 0] < configuration.agentConcurrencyMax else { return false }
        busy[run.id] = key
        busyCounts[key, default: 0] += 1
        return true
    }

    private mutating func release(_ id: RunID) {
        guard let key = busy.removeValue(forKey: id) else { return }
        let count = busyCounts[key, default: 1] - 1
        busyCounts[key] = count == 0 ? nil : count
        if waiting[key] != nil { freed.append(key) }
    }

    /// Timers of finished runs are dropped once they are the most, so that they do not grow with history.
    private mutating func compactTimers() {
        let live = 4 * (active.runs.count + active.accessRequests.count) + 1024
        guard timers.count > live else { return }
        timers = Heap(
            timers.unordered.filter { timer in
                switch timer.subject {
                case .run(let id): active.runs[id] != nil
                case .access(let id): active.accessRequests[id] != nil
                }
            })
    }
}
