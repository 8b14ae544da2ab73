/// What the write side remembers of a run that is not finished.
package struct RunState: Hashable, Sendable {
    package let id: RunID
    package let workspace: WorkspaceName
    package let agentID: String
    /// The resource id of the agent; `nil` when there was none of that name when the run was created.
    package let agentUID: ResourceID?
    package let userID: String
    package let conversationID: String?
    package let invokeURL: String?
    /// Kept for runs that the server drives, when it is short; `nil` otherwise.
    package let initialMessage: String?
    /// Kept like the message.
    package let input: JSONText?
    /// True when message and input are too long to be kept: the executor reads them from the run's first event.
    package let isInputInLog: Bool
    package let deadline: Timestamp
    /// The user as a token proved them; `nil` for a user that the client named.
    package let user: Person?
    package private(set) var status: RunStatus = .running
    package private(set) var actions: [ActionState] = []
    package private(set) var calls = ToolCallJournal()
    package private(set) var modelCalls = ModelCallJournal()
    /// The calls of models that were made for it, and what they have cost.
    package private(set) var modelCallCount: UInt32 = 0
    package private(set) var modelCost = MicroUSD.zero
    /// The key or the person that created it; `nil` when Sluice did.
    package private(set) var creator: Actor?
    /// The latest invoke of the agent, in flight or done.
    package private(set) var lastInvoke: InvokeProgress?
    /// The latest attempt when an action was approved or executed last.
    package private(set) var attemptAtProgress: UInt32 = 0
    package private(set) var streamSequence: UInt64 = 0
    package private(set) var timelineSequence: UInt64 = 0
    /// About how many bytes the run's events take in the log.
    package private(set) var recordedBytes: UInt64 = 0
    private let inputBytes: Int
    private var actionBytes = 0

    /// Message and input up to this size are kept in memory; longer ones are read when the agent is called.
    package static let inputBytesMax = 2048
    private static let ownBytes = 512
    static let bytesPerCall = 256
    static let bytesPerModelCall = 256

    /// About how many bytes the run takes in memory. A function of the run's events alone.
    package var footprint: Int {
        Self.ownBytes + inputBytes + actionBytes + calls.entries.count * Self.bytesPerCall
            + modelCalls.entries.count * Self.bytesPerModelCall
    }

    private static func bytes(_ texts: String?...) -> Int { texts.reduce(0) { $0 + ($1?.utf8.count ?? 0) } }

    package init(id: RunID, workspace: WorkspaceName, created: RunCreated) {
        self.id = id
        self.workspace = workspace
        agentID = created.agentID
        agentUID = created.agentUID
        userID = created.userID
        conversationID = created.conversationID
        invokeURL = created.invokeURL
        isInputInLog =
            created.invokeURL != nil
            && Self.bytes(created.initialMessage, created.input?.text) > Self.inputBytesMax
        let keepsInput = created.invokeURL != nil && !isInputInLog
        initialMessage = keepsInput ? created.initialMessage : nil
        input = keepsInput ? created.input : nil
        inputBytes = Self.bytes(agentID, userID, conversationID, invokeURL, initialMessage, input?.text)
        deadline = created.deadline
        user = created.user
    }

    /// A run as it was remembered before.
    package init(
        id: RunID, workspace: WorkspaceName, agentID: String, agentUID: ResourceID?, userID: String,
        conversationID: String?,
        invokeURL: String?, initialMessage: String?, input: JSONText?, isInputInLog: Bool, deadline: Timestamp,
        status: RunStatus,
        actions: [ActionState],
        calls: ToolCallJournal, modelCalls: ModelCallJournal, creator: Actor?, lastInvoke: InvokeProgress?,
        attemptAtProgress: UInt32, modelCallCount: UInt32, modelCost: MicroUSD,
        streamSequence: UInt64, timelineSequence: UInt64, recordedBytes: UInt64, user: Person?
    ) {
        self.id = id
        self.workspace = workspace
        self.agentID = agentID
        self.agentUID = agentUID
        self.userID = userID
        self.conversationID = conversationID
        self.invokeURL = invokeURL
        self.initialMessage = initialMessage
        self.input = input
        self.isInputInLog = isInputInLog
        inputBytes = Self.bytes(agentID, userID, conversationID, invokeURL, initialMessage, input?.text)
        self.deadline = deadline
        self.status = status
        self.actions = actions
        self.calls = calls
        self.modelCalls = modelCalls
        self.creator = creator
        self.lastInvoke = lastInvoke
        self.attemptAtProgress = attemptAtProgress
        self.modelCallCount = modelCallCount
        self.modelCost = modelCost
        self.streamSequence = streamSequence
        self.timelineSequence = timelineSequence
        self.recordedBytes = recordedBytes
        self.user = user
        actionBytes = actions.map(\.footprint).reduce(0, +)
    }

    /// Whether Sluice calls the agent; otherwise the client drives the run by its own requests.
    package var isServerDriven: Bool { invokeURL != nil }

    /// The invoke that was requested and has no result yet.
    package var openInvoke: InvokeProgress? { lastInvoke.flatMap { $0.stage == .open ? $0 : nil } }

    /// The same without its calls of tools.
    package var withoutCalls: RunState {
        var run = self
        run.calls = calls.withoutCalls
        return run
    }

    package func action(_ id: ActionID) -> ActionState? { actions.first { $0.id == id } }

    package var hasBlockedAction: Bool { actions.contains { $0.status == .blocked } }

    /// Folds one event of the run's stream.
    mutating func evolve(_ event: Event) {
        streamSequence = event.streamSequence
        if let timeline = event.timeline { timelineSequence = timeline.sequence }
        recordedBytes += UInt64(event.payload.approximateSizeBytes)
        switch event.payload {
        case .runStatusChanged(let changed):
            status = changed.status
        case .actionBlocked(let blocked):
            let action = ActionState(blocked, attempt: calls.attempt)
            actions.append(action)
            actionBytes += action.footprint
            status = blocked.isConsent ? .pausedConsent : .pausedApproval
        case .actionApproved(let approved):
            setStatus(.approved, of: approved.actionID)
            attemptAtProgress = calls.attempt
            change(approved.actionID) { [attemptAtProgress] in $0.approvedAttempt = attemptAtProgress }
        case .actionVoted(let voted): addVote(voted, of: event.actor)
        case .actionRejected(let rejected): setStatus(.rejected, of: rejected.actionID)
        case .actionExpired(let expired): setStatus(.expired, of: expired.actionID)
        case .actionExecuted(let executed):
            setStatus(.executed, of: executed.actionID)
            attemptAtProgress = calls.attempt
        case .actionFailed(let failed): setStatus(.failed, of: failed.actionID)
        case .invokeRequested(let requested):
            begin(requested)
        case .invokeCompleted(let completed):
            lastInvoke?.stage = .completed
            if completed.outcome == .finished { noteUse(ofCheckpointFor: completed.purpose) }
        case .invokeFailed(let failed):
            lastInvoke?.stage = .failed(at: event.time, isRetryable: failed.isRetryable, error: failed.error)
            // An attempt that a stop ended is not one that failed.
            if failed.isStopped { attemptAtProgress = calls.attempt }
            if failed.statusCode != nil, !failed.isRetryable { noteUse(ofCheckpointFor: failed.purpose) }
        case .runCreated:
            creator = event.actor.isClient ? event.actor : nil
        case .checkpointSaved(let saved):
            calls.noteCheckpoint(restartsHandler: saved.restartsHandler)
            change(ActionID(saved.actionID)) { [attempt = calls.attempt] action in
                action.checkpoint = saved.restartsHandler ? .handler : .loop
                action.checkpointAttempt = attempt
            }
        case .toolCallStarted(let started):
            calls.start(started.call)
            // Once is once, whatever the method.
            change(started.call.actionID) { ($0.isSpent, $0.callID) = (true, started.call.id) }
        case .toolCalled(let called):
            calls.finish(called)
            if case .unreached = called.outcome { change(called.call.actionID) { $0.isSpent = false } }
        case .toolCallInterrupted(let interrupted): calls.interrupt(interrupted.callID)
        case .toolCallReplayed(let replayed): calls.replay(replayed.callID)
        case .modelCalled(let called) where called.isMade:
            modelCallCount += 1
            modelCost = modelCost + (called.cost ?? .zero)
        case .modelAnswerRecorded(let recorded): modelCalls.record(recorded, in: calls)
        case .modelCallReplayed(let replayed): modelCalls.replay(replayed.callID, in: calls)
        case .runEventAdded, .toolResultRecorded, .resourceStored, .resourceDeleted, .resourceStatusRecorded,
            .accessRequested, .accessApproved, .accessRejected, .accessExpired, .apiKeyCreated,
            .apiKeyRevoked, .answerRecorded, .toolCallRefused, .payloadMismatched, .secretStored, .secretDeleted,
            .modelCalled, .apiKeyRotated, .deliveryStarted, .deliveryEnded, .decisionLinkUsed, .sourcesAnalyzed,
            .buildRequested, .buildStarted, .buildFinished, .personErasureRequested, .personErased, .runExpired,
            .keyLossAccepted, .controlStopped, .controlStarted:
            break
        }
    }

    private mutating func begin(_ requested: InvokeRequested) {
        let (scope, checkpointAttempt): (ToolCallJournal.Scope?, UInt32?) =
            switch requested.purpose {
            case .start: (.run, nil)
            case .resume(let id):
                switch action(id)?.checkpoint {
                case .handler?: (.run, nil)
                case .loop?: (.checkpoint, action(id)?.checkpointAttempt)
                case ActionState.Checkpoint.none?, .unusable?, nil: (nil, nil)
                }
            }
        let isSeries = lastInvoke?.isFailed == true && lastInvoke?.purpose == requested.purpose
        calls.beginAttempt(
            ofNewTurn: requested.purpose != lastInvoke?.purpose, scope, checkpointAttempt: checkpointAttempt)
        lastInvoke = InvokeProgress(
            purpose: requested.purpose, attempt: requested.attempt,
            firstAttempt: isSeries ? lastInvoke?.firstAttempt ?? calls.attempt : calls.attempt,
            requestID: requested.requestID, stage: .open)
    }

    /// A resume ended without carrying out its action: its checkpoint is not tried again.
    private mutating func noteUse(ofCheckpointFor purpose: InvokePurpose) {
        guard case .resume(let id) = purpose else { return }
        change(id) { $0.checkpoint = .unusable }
    }

    private mutating func addVote(_ voted: ActionVoted, of approver: Actor) {
        change(voted.actionID) { action in
            action.gate?.votes.append(
                ActionState.Vote(
                    approver: approver, groups: voted.groups, scope: voted.scope, duration: voted.duration,
                    isSigned: voted.signature != nil))
        }
    }

    /// Keeps those whose approvals let the call of an action be made.
    mutating func setApprovers(_ approvers: [Actor], of id: ActionID) { change(id) { $0.gate?.approvers = approvers } }

    private mutating func setStatus(_ status: ActionStatus, of id: ActionID) { change(id) { $0.status = status } }

    private mutating func change(_ id: ActionID?, _ change: (inout ActionState) -> Void) {
        guard let id, let index = actions.firstIndex(where: { $0.id == id }) else { return }
        change(&actions[index])
    }
}

/// How far an invoke of the agent has come.
package struct InvokeProgress: Hashable, Sendable {
    package enum Stage: Hashable, Sendable {
        /// Requested, with no result yet.
        case open
        case completed
        case failed(at: Timestamp, isRetryable: Bool, error: String)
    }

    package let purpose: InvokePurpose
    package let attempt: UInt32
    /// Number, in the run, of the first of the failed attempts that this one repeats; its own when it repeats none.
    package let firstAttempt: UInt32
    package let requestID: String
    package fileprivate(set) var stage: Stage

    fileprivate var isFailed: Bool { if case .failed = stage { true } else { false } }

    package init(purpose: InvokePurpose, attempt: UInt32, firstAttempt: UInt32, requestID: String, stage: Stage) {
        self.purpose = purpose
        self.attempt = attempt
        self.firstAttempt = firstAttempt
        self.requestID = requestID
        self.stage = stage
    }
}
