import Domain
import EventStore
import EventStreaming
import Testing

@Suite struct EventStreamerTests {
    @Test func followsARunToItsEndAndNoFurther() async throws {
        let script = await RunScript()
        let run = try await script.createRun()
        let other = try await script.createRun()
        let following = Task {
            var follower = script.streamer().follow(.run(run), after: .zero)
            let (positions, isEnded) = try await follower.positions()
            return (positions, isEnded, try await follower.next() == nil)
        }
        try await script.say("one", in: run)
        try await script.say("not this", in: other)
        try await script.finish(run)
        try await script.say("too late", in: other)
        let (positions, isEnded, isOver) = try await following.value
        #expect(positions == [1, 3, 5])
        #expect(isEnded)
        #expect(isOver)
    }

    @Test(arguments: 0...6)
    func resumesWithoutLossOrRepetitionAndEndsARunThatWasFinishedBefore(after: UInt64) async throws {
        let script = await RunScript()
        let run = try await script.createRun()
        for text in ["one", "two"] { try await script.say(text, in: run) }
        try await script.finish(run)
        let other = try await script.createRun()
        try await script.say("goes on", in: other)
        var follower = script.streamer().follow(.run(run), after: Position(after))
        let (positions, isEnded) = try await follower.positions()
        #expect(positions == (1...4).filter { $0 > after })
        #expect(isEnded)
        #expect(try await follower.next() == nil)
    }

    @Test func resumesAtEveryPositionOfABusyLog() async throws {
        let script = await RunScript(recentEventsMax: 4)
        let runs = [try await script.createRun(), try await script.createRun()]
        for number in 0..<20 { try await script.say("\(number)", in: runs[number % 2]) }
        let all = try await positions(script, .run(runs[0]), after: .zero, count: 11)
        for (index, position) in all.dropLast().enumerated() {
            let rest = try await positions(script, .run(runs[0]), after: Position(position), count: 10 - index)
            #expect(rest == Array(all[(index + 1)...]))
        }
    }

    @Test func showsNothingBeforeQueriesSeeIt() async throws {
        let script = await RunScript()
        let run = try await script.createRun()
        try await script.say("one", in: run)
        var follower = script.streamer().follow(.run(run), after: .zero)
        for expected in 1...5 {
            guard case .event(let recorded) = try await follower.next() else {
                Issue.record("no event \(expected)")
                return
            }
            #expect(recorded.position == Position(UInt64(expected)))
            #expect(script.visible >= recorded.position)
            try await script.say("more", in: run)
        }
    }

    @Test func failsWhenQueriesStopFollowing() async throws {
        struct Stopped: Error {}
        let script = await RunScript()
        _ = try await script.createRun()
        let streamer = EventStreamer(
            store: script.store, visible: { _ in throw Stopped() }, findRun: { _, _ in nil })
        var follower = streamer.follow(EventFilter(workspace: .default), after: .zero)
        await #expect(throws: Stopped.self) { _ = try await follower.next() }
    }

    @Test func keepsToItsWorkspace() async throws {
        let script = await RunScript()
        let foreign = try #require(WorkspaceName("other"))
        let run = try await script.createRun(workspace: foreign)
        let mine = try await script.createRun()
        try await script.say("secret", in: run, workspace: foreign)
        try await script.say("mine", in: mine)
        #expect(try await positions(script, EventFilter(workspace: .default), after: .zero, count: 2) == [2, 4])
        #expect(try await positions(script, EventFilter(workspace: foreign), after: .zero, count: 2) == [1, 3])
    }

    @Test func filtersByAgentAlsoWhenItStartsAfterTheRun() async throws {
        let script = await RunScript()
        let run = try await script.createRun(agent: "billing")
        let other = try await script.createRun(agent: "support")
        for _ in 0..<2 {
            try await script.say("hello", in: other)
            try await script.say("hello", in: run)
        }
        var filter = EventFilter(workspace: .default)
        filter.agentID = "billing"
        #expect(try await positions(script, filter, after: .zero, count: 3) == [1, 4, 6])
        #expect(try await positions(script, filter, after: Position(4), count: 1) == [6])
    }

    @Test(arguments: [
        (["run.event_added"], [2, 4]), (["USER_MESSAGE"], [2, 4]), (["run.created", "run.status_changed"], [1, 5]),
        (["action.blocked", "USER_MESSAGE"], [2, 3, 4]), (["APPROVAL_REQUIRED"], [3]),
    ])
    func filtersByTypeInTheLogsNamesAndTheTimelines(types: [String], expected: [UInt64]) async throws {
        let script = await RunScript()
        let run = try await script.createRun()
        try await script.say("one", in: run)
        try await script.append(run, workspace: .default, blocked)
        try await script.say("two", in: run)
        try await script.finish(run)
        var filter = EventFilter.run(run)
        filter.types = Set(types)
        var follower = script.streamer().follow(filter, after: .zero)
        let (positions, isEnded) = try await follower.positions()
        #expect(positions == expected)
        #expect(isEnded)
    }

    @Test func showsOnlyTheTimelineWhenAskedTo() async throws {
        let script = await RunScript()
        let run = try await script.createRun()
        try await script.say("one", in: run)
        try await script.finish(run)
        var filter = EventFilter.run(run)
        filter.isTimelineOnly = true
        var follower = script.streamer().follow(filter, after: .zero)
        #expect(try await follower.positions().positions == [2])
    }

    @Test func beatsInSilenceAndLosesNothingByIt() async throws {
        let script = await RunScript()
        let run = try await script.createRun()
        var follower = script.streamer(heartbeat: .milliseconds(1)).follow(.run(run), after: .zero)
        var seen: [Position] = []
        var beats = 0
        while seen.count < 20 {
            switch try await follower.next() {
            case .event(let recorded): seen.append(recorded.position)
            case .heartbeat(let position):
                #expect(position == seen.last ?? .zero)
                beats += 1
                try await script.say("after a beat", in: run)
            case .end, nil:
                Issue.record("it ended")
                return
            }
        }
        #expect(seen.map(\.value) == Array(1...20))
        #expect(beats >= 19)
    }

    @Test func beatsWhileOnlyOtherEventsPassBy() async throws {
        let script = await RunScript()
        let run = try await script.createRun()
        let other = try await script.createRun()
        var follower = script.streamer(heartbeat: .milliseconds(5)).follow(.run(run), after: Position(1))
        let noise = Task { while !Task.isCancelled { try await script.say("noise", in: other) } }
        guard case .heartbeat(let position) = try await follower.next() else {
            Issue.record("no heartbeat")
            return
        }
        noise.cancel()
        _ = await noise.result
        #expect(position > Position(2))
        let mine = try await script.say("mine", in: run)
        #expect(try await follower.positions(count: 1).positions == [mine.position.value])
    }

    @Test func endsWithoutAMarkerWhenTheStoreCloses() async throws {
        let script = await RunScript()
        let run = try await script.createRun()
        let following = Task {
            var follower = script.streamer().follow(.run(run), after: .zero)
            return try await follower.positions()
        }
        while script.store.waiterCount == 0 { await Task.yield() }
        try await script.store.close()
        let (positions, isEnded) = try await following.value
        #expect(positions == [1])
        #expect(!isEnded)
    }

    @Test func leavesNothingBehindWhenItsClientGoes() async throws {
        let script = await RunScript()
        let run = try await script.createRun()
        let clients = (0..<20).map { _ in
            Task {
                var follower = script.streamer().follow(.run(run), after: Position(1))
                return try await follower.next() == nil
            }
        }
        while script.store.waiterCount < 20 { await Task.yield() }
        for client in clients { client.cancel() }
        for client in clients { #expect(try await client.value) }
        #expect(script.store.waiterCount == 0)
    }

    private var blocked: EventPayload {
        .actionBlocked(
            ActionBlocked(
                actionID: ActionID(UUIDValue(high: 1, low: 2)), toolID: "stripe", capability: nil, payloadHash: nil,
                method: nil, url: nil, accessRequestID: nil, expiresAt: Timestamp(microseconds: 0)))
    }

    private func positions(
        _ script: RunScript, _ filter: EventFilter, after position: Position, count: Int
    ) async throws -> [UInt64] {
        var follower = script.streamer().follow(filter, after: position)
        return try await follower.positions(count: count).positions
    }
}
