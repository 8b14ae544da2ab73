import Domain
import EventStore

extension RunState {
    func write(to writer: inout WireWriter) {
        writer.add(1, id)
        writer.add(2, workspace.text)
        writer.add(3, agentID)
        writer.add(4, userID)
        writer.add(5, optional: conversationID)
        writer.add(6, optional: invokeURL)
        writer.add(7, optional: initialMessage)
        writer.add(8, deadline)
        writer.add(9, status)
        for action in actions { writer.add(10) { action.write(to: &$0) } }
        if let lastInvoke { writer.add(11) { lastInvoke.write(to: &$0) } }
        writer.add(12, streamSequence)
        writer.add(13, timelineSequence)
        writer.add(14) { calls.write(to: &$0) }
        if case .apiKey(let id) = creator?.kind { writer.add(15, id) }
        writer.add(16, optional: input?.text)
        if case .person(let person) = creator?.kind { writer.add(17) { person.write(to: &$0) } }
        writer.add(18, creator?.name ?? "")
        if let user { writer.add(19) { user.write(to: &$0) } }
        writer.add(20, isInputInLog)
        writer.add(21) { modelCalls.write(to: &$0) }
        writer.add(22, attemptAtProgress)
        writer.add(23, agentUID)
        writer.add(24, recordedBytes)
        writer.add(25, UInt64(modelCallCount))
        writer.add(26, modelCost.value)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (id, workspace, status): (RunID?, WorkspaceName?, RunStatus?)
        var (agentID, agentUID, userID): (String, ResourceID?, String) = ("", nil, "")
        var (conversationID, invokeURL, initialMessage): (String?, String?, String?)
        var (input, isInputInLog, attemptAtProgress): (JSONText?, Bool, UInt32) = (nil, false, 0)
        var deadline = Timestamp(microseconds: 0)
        var (actions, lastInvoke): ([ActionState], InvokeProgress?) = ([], nil)
        var (calls, creator): (ToolCallJournal, Actor.Kind?) = (ToolCallJournal(), nil)
        var modelCalls = ModelCallJournal()
        var (modelCallCount, modelCost): (UInt32, UInt64) = (0, 0)
        var (creatorName, user): (String, Person?) = ("", nil)
        var (streamSequence, timelineSequence, recordedBytes): (UInt64, UInt64, UInt64) = (0, 0, 0)
        while let field = try reader.next() {
            switch field {
            case 1: id = try reader.id("run")
            case 2: workspace = WorkspaceName(try reader.text())
            case 3: agentID = try reader.text()
            case 4: userID = try reader.text()
            case 5: conversationID = try reader.text()
            case 6: invokeURL = try reader.text()
            case 7: initialMessage = try reader.text()
            case 8: deadline = try reader.time()
            case 9: status = try reader.choice("status")
            case 10: actions.append(try ActionState(try reader.message()))
            case 11: lastInvoke = try InvokeProgress(try reader.message())
            case 12: streamSequence = try reader.unsigned()
            case 13: timelineSequence = try reader.unsigned()
            case 14: calls = try ToolCallJournal(try reader.message())
            case 15: creator = .apiKey(try reader.id("creator"))
            case 16: input = try reader.json()
            case 17: creator = .person(try Person(try reader.message()))
            case 18: creatorName = try reader.text()
            case 19: user = try Person(try reader.message())
            case 20: isInputInLog = try reader.bool()
            case 21: modelCalls = try ModelCallJournal(try reader.message())
            case 22: attemptAtProgress = try reader.unsigned32()
            case 23: agentUID = try reader.id("agent_uid")
            case 24: recordedBytes = try reader.unsigned()
            case 25: modelCallCount = try reader.unsigned32()
            case 26: modelCost = try reader.unsigned()
            default: throw .missing("run")
            }
        }
        self.init(
            id: try required(id, "run"), workspace: try required(workspace, "workspace"), agentID: agentID,
            agentUID: agentUID, userID: userID, conversationID: conversationID, invokeURL: invokeURL,
            initialMessage: initialMessage,
            input: input, isInputInLog: isInputInLog, deadline: deadline, status: try required(status, "status"),
            actions: actions, calls: calls, modelCalls: modelCalls,
            creator: creator.map { Actor(kind: $0, name: creatorName) }, lastInvoke: lastInvoke,
            attemptAtProgress: attemptAtProgress, modelCallCount: modelCallCount, modelCost: MicroUSD(modelCost),
            streamSequence: streamSequence, timelineSequence: timelineSequence,
            recordedBytes: recordedBytes, user: user)
    }
}

extension InvokeProgress {
    fileprivate func write(to writer: inout WireWriter) {
        if case .resume(let action) = purpose { writer.add(1, action) }
        writer.add(2, attempt)
        writer.add(3, requestID)
        switch stage {
        case .open: break
        case .completed: writer.add(4, true)
        case .failed(let time, let isRetryable, let error):
            writer.add(5, optional: time)
            writer.add(6, isRetryable)
            writer.add(7, error)
        }
        writer.add(8, firstAttempt)
    }

    fileprivate init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (action, attempt, firstAttempt, requestID): (ActionID?, UInt32, UInt32, String) = (nil, 0, 0, "")
        var (isCompleted, failedAt, isRetryable, error): (Bool, Timestamp?, Bool, String) = (false, nil, false, "")
        while let field = try reader.next() {
            switch field {
            case 1: action = try reader.id("action")
            case 2: attempt = try reader.unsigned32()
            case 3: requestID = try reader.text()
            case 4: isCompleted = try reader.bool()
            case 5: failedAt = try reader.time()
            case 6: isRetryable = try reader.bool()
            case 7: error = try reader.text()
            case 8: firstAttempt = try reader.unsigned32()
            default: throw .missing("invoke")
            }
        }
        let failed = failedAt.map { Stage.failed(at: $0, isRetryable: isRetryable, error: error) }
        self.init(
            purpose: action.map { .resume($0) } ?? .start, attempt: attempt, firstAttempt: firstAttempt,
            requestID: requestID, stage: failed ?? (isCompleted ? .completed : .open))
    }
}
