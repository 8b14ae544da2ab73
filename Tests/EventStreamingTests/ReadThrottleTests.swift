import Domain
import EventStore
import EventStreaming
import Synchronization
import Testing

@Suite struct ReadThrottleTests {
    /// A time that only work and pauses move.
    private final class Time: Sendable {
        private let state = Mutex((now: Duration.zero, paused: Duration.zero))
        var paused: Duration { state.withLock { $0.paused } }

        func work(_ duration: Duration) { state.withLock { $0.now += duration } }

        func throttle() -> ReadThrottle {
            ReadThrottle(
                now: { self.state.withLock { $0.now } },
                wait: { pause in
                    self.state.withLock { state in
                        state.now += pause
                        state.paused += pause
                    }
                })
        }
    }

    /// Counts who works at the same time.
    private final class Readers: Sendable {
        private struct State {
            var working = 0
            var workingMax = 0
            var chunks = Array(repeating: 0, count: 20)
        }

        private let state = Mutex(State())
        var workingMax: Int { state.withLock { $0.workingMax } }
        var chunks: [Int] { state.withLock { $0.chunks } }

        func work(_ reader: Int) async {
            state.withLock { state in
                state.working += 1
                state.workingMax = max(state.workingMax, state.working)
                state.chunks[reader] += 1
            }
            await Task.yield()
            state.withLock { $0.working -= 1 }
        }
    }

    /// Counts looks at a time that stands still.
    private final class Looks: Sendable {
        private let state = Mutex(0)
        var count: Int { state.withLock { $0 } }

        func throttle() -> ReadThrottle {
            ReadThrottle(
                now: {
                    self.state.withLock { $0 += 1 }
                    return .zero
                }, wait: { _ in })
        }
    }

    @Test func pausesAsLongAsItWorks() async throws {
        let time = Time()
        let throttle = time.throttle()
        for _ in 0..<100 { try await throttle.run { time.work(.milliseconds(3)) } }
        #expect(time.paused == .milliseconds(99 * 3))
    }

    @Test(arguments: [1, 49, 51, 400, 3_000])
    func slowReadsLeaveHalfOfTheTimeToo(milliseconds: Int) async throws {
        let time = Time()
        let throttle = time.throttle()
        for _ in 0..<20 { try await throttle.run { time.work(.milliseconds(milliseconds)) } }
        #expect(time.paused == .milliseconds(19 * milliseconds))
    }

    @Test func timeSinceTheLastChunkCountsAsAPause() async throws {
        let time = Time()
        let throttle = time.throttle()
        try await throttle.run { time.work(.milliseconds(10)) }
        time.work(.milliseconds(10))
        try await throttle.run {}
        #expect(time.paused == .zero)
    }

    @Test func oneWorksAtATimeAndEachOneGetsItsTurn() async throws {
        let (throttle, readers) = (Time().throttle(), Readers())
        try await withThrowingTaskGroup { group in
            for reader in 0..<20 {
                group.addTask {
                    for _ in 0..<50 { try await throttle.run { await readers.work(reader) } }
                }
            }
            try await group.waitForAll()
        }
        #expect(readers.workingMax == 1)
        #expect(readers.chunks == Array(repeating: 50, count: 20))
    }

    @Test func workThatFailsOrIsCancelledReleasesTheTurn() async throws {
        struct Failed: Error {}
        let throttle = Time().throttle()
        await #expect(throws: Failed.self) { try await throttle.run { throw Failed() } }
        let cancelled = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await throttle.run { _ = Issue.record("a cancelled task has no turn") }
        }
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        #expect(try await throttle.run { 7 } == 7)
    }

    /// A filter that matches nothing goes through the log in turns; what is in memory needs none.
    @Test func aStreamTakesTurnsOnlyWhileItReadsFromTheLog() async throws {
        let script = await RunScript(recentEventsMax: 16)
        let run = try await script.createRun()
        for number in 0..<2000 { try await script.say("\(number)", in: run) }
        let looks = Looks()
        let throttle = looks.throttle()
        let before = looks.count
        let streamer = EventStreamer(
            store: script.store, visible: { _ in }, findRun: { _, _ in nil }, heartbeat: .milliseconds(100),
            throttle: throttle)
        var filter = EventFilter(workspace: .default)
        filter.types = ["NOTHING_HAS_THIS_TYPE"]
        var follower = streamer.follow(filter, after: .zero)
        while follower.position < script.store.durablePosition { _ = try await follower.next() }
        let catchingUp = looks.count
        // 2,001 events in batches of at most 256, three looks at the time for each.
        #expect(catchingUp - before >= 7 * 3)
        for number in 0..<5 {
            try await script.say("\(number)", in: run)
            while follower.position < script.store.durablePosition { _ = try await follower.next() }
        }
        #expect(looks.count == catchingUp)
    }
}
