import Domain
import Scheduling
import Testing

/// The scheduler's state machine beside the writer's rules: every due command is carried out, every event fed back.
@Suite struct SchedulerStateTests {
    @Test func dispatchesARunOnceAndCompletesNothingByItself() throws {
        var world = World()
        let run = try world.createRun()
        #expect(world.requestedInvokes(try world.work()) == [run])
        #expect(try world.work().isEmpty)
    }

    @Test func neverInvokesARunThatItsClientDrives() throws {
        var world = World()
        _ = try world.createRun(invokeURL: nil)
        #expect(try world.work().isEmpty)
    }

    @Test func triesAgainAfterAPauseThatGrowsAndGivesUpAtTheLimit() throws {
        var world = World()
        world.configuration.invokeAttemptsMax = 4
        world.restart()
        let run = try world.createRun()
        _ = try world.work()
        var pauses: [Duration] = []
        for attempt in 1...3 {
            try world.fail(run)
            #expect(try world.work().isEmpty)
            let due = try #require(world.scheduler.nextDeadline)
            pauses.append(due.since(world.now))
            world.now = due
            #expect(world.requestedInvokes(try world.work()) == [run])
            #expect(world.state.runs[run]?.lastInvoke?.attempt == UInt32(attempt + 1))
        }
        #expect(pauses[1] > pauses[0] / 2 && pauses[2] > pauses[0])
        try world.fail(run)
        let last = try world.work()
        guard case .failRun(run, let reason)? = last.first else { return #expect(Bool(false), "\(last)") }
        #expect(reason.contains("4 attempts"))
        #expect(world.state.runs[run] == nil)
    }

    @Test func anErrorThatStaysFailsTheRunAtOnce() throws {
        var world = World()
        let run = try world.createRun()
        _ = try world.work()
        try world.fail(run, isRetryable: false)
        #expect(try world.work().count == 1 && world.state.runs[run] == nil)
    }

    @Test func resumesAnApprovedActionAndCompletes() throws {
        var world = World()
        let run = try world.createRun()
        _ = try world.work()
        let action = try world.block(run)
        try world.complete(run, .awaitingApproval)
        #expect(try world.work().isEmpty)
        try world.send(.approveAction(run: run, action: action, payloadHash: nil, reason: nil))
        #expect(world.requestedInvokes(try world.work()) == [run])
        #expect(world.state.runs[run]?.openInvoke?.purpose == .resume(action))
        try world.complete(run, .finished)
        #expect(world.state.runs[run] == nil)
    }

    @Test func eachAttemptHasItsNumberAndItsID() throws {
        var world = World()
        let run = try world.createRun()
        for number in 1...4 as ClosedRange<UInt32> {
            _ = try world.work()
            let open = try #require(world.state.runs[run]?.openInvoke)
            #expect(open.attempt == number && open.requestID == "req-\(run)-\(number)")
            try world.fail(run)
            world.now = world.now.adding(.seconds(60))
        }
    }

    @Test func aCheckpointThatTheAgentDoesNotKnowIsFollowedByANewStartAtOnce() throws {
        var world = World()
        world.configuration.invokeAttemptsMax = 1
        world.restart()
        let run = try world.createRun()
        _ = try world.work()
        let action = try world.approvedCall(run)
        try world.saveCheckpoint(run, action)
        try world.complete(run, .awaitingApproval)
        _ = try world.work()
        #expect(world.state.runs[run]?.openInvoke?.purpose == .resume(action))
        try world.fail(run, statusCode: 404, isRetryable: false)
        _ = try world.work()
        #expect(world.state.runs[run]?.openInvoke?.purpose == .start)
    }

    @Test func anAgentThatIgnoresItsApprovalIsCalledUpToTheLimitAndTheRunSaysWhy() throws {
        var world = World()
        world.configuration.invokeAttemptsMax = 3
        world.restart()
        let run = try world.createRun()
        _ = try world.work()
        let action = try world.approvedCall(run)
        try world.complete(run, .finished)
        for number in 1...3 {
            #expect(world.requestedInvokes(try world.work()) == [run], "\(number)")
            try world.complete(run, .finished)
            // What kept it from carrying the action out may pass.
            if number < 3 { #expect(try world.work().isEmpty) }
            world.now = world.now.adding(.seconds(60))
        }
        guard case .failRun(run, let reason)? = try world.work().first else {
            Issue.record("the run goes on")
            return
        }
        #expect(reason.contains("\(action)") && reason.contains("3 times"))
    }

    @Test func aResumeWhoseActionWasClosedMeanwhileDoesNotLeaveTheRunBehind() throws {
        var world = World()
        let run = try world.createRun()
        _ = try world.work()
        let action = try world.block(run)
        try world.complete(run, .awaitingApproval)
        try world.send(.approveAction(run: run, action: action, payloadHash: nil, reason: nil))
        _ = try world.work()
        try world.send(.markActionExecuted(run: run, action: action))
        try world.fail(run)
        _ = try world.work()
        #expect(world.state.runs[run] == nil)
    }

    @Test func oneAgentsRunsWaitInLineAndEachGetsItsTurnOnce() throws {
        var world = World()
        world.configuration.agentConcurrencyMax = 2
        world.restart()
        let runs = try (0..<10).map { _ in try world.createRun() }
        var order: [RunID] = []
        var open = world.requestedInvokes(try world.work())
        while !open.isEmpty {
            #expect(open.count <= 2)
            order += open
            // Events about those that wait must not give them a second place in the line.
            for run in runs where world.state.runs[run].map({ $0.lastInvoke == nil }) == true {
                try world.send(
                    .addRunEvents(run: run, [RunEventAdded(type: "X", actor: nil, payloadHash: nil, data: nil)]))
            }
            for run in open { try world.complete(run, .finished) }
            open = world.requestedInvokes(try world.work())
        }
        #expect(order == runs)
    }

    /// A run that was cancelled while it waited gives its turn to the next.
    @Test func aRunThatLeavesTheLineDoesNotStallIt() throws {
        var world = World()
        world.configuration.agentConcurrencyMax = 1
        world.restart()
        let runs = try (0..<5).map { _ in try world.createRun() }
        _ = try world.work()
        for run in runs[1...3] { try world.send(.failRun(run: run, reason: "cancelled")) }
        _ = try world.work()
        try world.complete(runs[0], .finished)
        #expect(world.requestedInvokes(try world.work()) == [runs[4]])
    }

    @Test func agentsDoNotWaitForEachOther() throws {
        var world = World()
        world.configuration.agentConcurrencyMax = 1
        world.restart()
        let runs = try (0..<4).map { try world.createRun(agent: "agent-\($0)") }
        #expect(Set(world.requestedInvokes(try world.work())) == Set(runs))
    }

    @Test(arguments: [false, true])
    func deadlinesHoldAlsoAfterARestart(isRestarted: Bool) throws {
        var world = World()
        let (plain, blocked) = (try world.createRun(invokeURL: nil), try world.createRun(invokeURL: nil))
        let action = try world.block(blocked)
        let deadline = try #require(world.state.runs[plain]?.deadline)
        let expiry = try #require(world.state.runs[blocked]?.action(action)?.expiresAt)
        if isRestarted { world.restart() }
        #expect(try world.work().isEmpty)
        world.now = expiry
        #expect(try world.work() == [.expireAction(run: blocked, action: action)])
        world.now = deadline
        #expect(try world.work() == [.failRun(run: plain, reason: "the run timed out")])
        #expect(world.state.runs.isEmpty)
    }

    @Test func aRunWithAnActionStillHasItsDeadlineAfterARestart() throws {
        var world = World()
        let run = try world.createRun(invokeURL: nil)
        let action = try world.block(run)
        try world.send(.approveAction(run: run, action: action, payloadHash: nil, reason: nil))
        let deadline = try #require(world.state.runs[run]?.deadline)
        world.restart()
        _ = try world.work()
        world.now = deadline
        #expect(try world.work() == [.failRun(run: run, reason: "the run timed out")])
    }

    @Test func accessRequestsExpireInTime() throws {
        var world = World()
        let id: AccessRequestID = world.newID()
        try world.send(
            .requestAccess(
                RequestAccess(
                    requestID: id, subject: "s", toolID: "t", agentID: nil, duration: nil, runID: nil,
                    actionID: world.newID(), capability: nil, payloadHash: nil, method: nil, url: nil)))
        let expiry = try #require(world.state.accessRequests[id]?.expiresAt)
        world.now = expiry.adding(.microseconds(-1))
        #expect(try world.work().isEmpty)
        world.now = expiry
        #expect(try world.work() == [.expireAccess(request: id)])
    }

    @Test(arguments: [true, false]) func aGrantEndsWithItsApproversKey(restarts: Bool) throws {
        var world = World()
        let (id, key): (AccessRequestID, APIKeyID) = (world.newID(), world.newID())
        try world.send(
            .createAPIKey(
                id: key,
                APIKeyCreated(name: "k", role: .approver, digest: "k", prefix: "p", last4: "1234", expiresAt: nil)))
        try world.send(
            .requestAccess(
                RequestAccess(
                    requestID: id, subject: "s", toolID: "t", agentID: nil, duration: nil, runID: nil,
                    actionID: world.newID(), capability: nil, payloadHash: nil, method: nil, url: nil)))
        try world.send(
            .approveAccess(
                ApproveAccess(requestID: id, scope: .agentUserTTL, duration: nil, reason: nil, payloadHash: nil)),
            as: Actor(kind: .apiKey(key), name: "k"))
        if restarts { world.restart() }
        #expect(try world.work().isEmpty)
        try world.send(.revokeAPIKey(id: key))
        if restarts { world.restart() }
        #expect(try world.work() == [.expireAccess(request: id)])
        #expect(try world.work().isEmpty && world.state.accessRequests[id] == nil)
    }

    /// What the writer could not take is due again, and nothing is asked for twice meanwhile.
    @Test func aCommandThatIsGivenBackComesAgain() throws {
        var world = World()
        let run = try world.createRun()
        let due = world.scheduler.due(at: world.now)
        #expect(due.count == 1)
        let retry = world.now.adding(.seconds(1))
        world.scheduler.giveBack(try #require(due.first), retryAt: retry)
        #expect(world.scheduler.due(at: world.now).isEmpty)
        world.now = retry
        #expect(world.requestedInvokes(try world.work()) == [run])
    }

    /// The clock was an hour ahead, the writer refused, and the clock was set right: the deadline comes in its time.
    @Test func aDeadlineSurvivesAClockThatIsSetBackWhileTheWriterRefuses() throws {
        var world = World()
        let run = try world.createRun(invokeURL: nil)
        let deadline = try #require(world.state.runs[run]?.deadline)
        let due = world.scheduler.due(at: deadline.adding(.seconds(3600)))
        #expect(due.count == 1)
        let earlier = deadline.adding(.seconds(-60))
        world.scheduler.giveBack(try #require(due.first), retryAt: earlier.adding(.seconds(1)))
        #expect(world.scheduler.due(at: earlier.adding(.seconds(1))).isEmpty)
        world.now = try #require(world.scheduler.nextDeadline)
        #expect(world.now == deadline)
        #expect(try world.work() == [.failRun(run: run, reason: "the run timed out")])
    }

    /// At whatever event the process ends, the next one drives every run to its end.
    @Test func aRestartAtAnyPointComesToTheSameEnd() throws {
        for stop in 0..<40 {
            var world = World()
            world.configuration.agentConcurrencyMax = 2
            world.restart()
            let runs = try (0..<4).map { _ in try world.createRun() }
            for step in 0..<200 where !world.state.runs.isEmpty {
                if step == stop { world.restart() }
                _ = try world.work()
                if let run = runs.first(where: { world.state.runs[$0]?.openInvoke != nil }) {
                    try step % 3 == 0 ? world.fail(run) : world.complete(run, .finished)
                } else if let next = world.scheduler.nextDeadline {
                    world.now = max(world.now, next)
                }
            }
            #expect(world.state.runs.isEmpty, "stopped at \(stop)")
        }
    }
}
