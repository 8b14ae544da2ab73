import Domain
import Gateways
import Testing

/// A call that waits for another one like it is woken by that one's end.
@Suite struct CallEndingsTests {
    @Test func anEndIsNotMissedThatComesBeforeTheWait() async {
        let (endings, run) = (CallEndings(), Self.run(1))
        let follower = endings.follow(run)
        endings.observe(Self.interrupted(run))
        await follower.next(until: ContinuousClock.now + .seconds(600))
        #expect(endings.runCount == 1)
    }

    @Test func theEndOfAnotherRunsCallWakesNobodyAndTheDeadlineDoes() async {
        let endings = CallEndings()
        let follower = endings.follow(Self.run(1))
        endings.observe(Self.interrupted(Self.run(2)))
        let begin = ContinuousClock.now
        await follower.next(until: begin + .milliseconds(50))
        #expect(begin.duration(to: .now) >= .milliseconds(50))
    }

    @Test func nothingIsLeftOfAFollowerThatIsGone() async {
        let endings = CallEndings()
        var follower: CallEndings.Follower? = endings.follow(Self.run(1))
        #expect(endings.runCount == 1)
        withExtendedLifetime(follower) {}
        follower = nil
        #expect(endings.runCount == 0)
    }

    private static func run(_ number: UInt64) -> RunID { RunID(UUIDValue(high: 1, low: number)) }

    private static func interrupted(_ run: RunID) -> Event {
        Event(
            id: EventID(UUIDValue(high: 2, low: 2)), time: Timestamp(microseconds: 0), workspace: .default,
            stream: .run(run), streamSequence: 1, actor: .gateway, causation: Causation(index: 0, idempotency: nil),
            traceparent: nil, timeline: nil, person: nil,
            payload: .toolCallInterrupted(
                ToolCallInterrupted(callID: ToolCallID(UUIDValue(high: 3, low: 3)))))
    }
}
