import Domain
import Gateways
import Testing

/// A call whose caller is gone is taken over once.
@Suite struct UndeliveredCallsTests {
    private let calls = UndeliveredCalls()
    private let run = RunID(UUIDValue(high: 1, low: 1))
    private let identity = UUIDValue(high: 2, low: 2)

    private static func call(_ number: UInt64) -> ToolCallID { ToolCallID(UUIDValue(high: 3, low: number)) }

    @Test func aCallOfAPresentCallerIsNotTakenOver() {
        calls.begin(Self.call(1), identity, of: run, for: CallerPresence())
        #expect(calls.isPending(identity, of: run))
        #expect(calls.claim(identity, of: run, for: CallerPresence()) == nil)
    }

    @Test func aCallIsTakenOverByOneAndAgainWhenThatOneIsGone() {
        let (first, second) = (CallerPresence(), CallerPresence())
        calls.begin(Self.call(1), identity, of: run, for: first)
        first.leave()
        #expect(calls.claim(UUIDValue(high: 2, low: 3), of: run, for: second) == nil, "of another identity")
        #expect(calls.claim(identity, of: RunID(UUIDValue(high: 1, low: 2)), for: second) == nil, "of another run")
        #expect(calls.claim(identity, of: run, for: second) == Self.call(1))
        #expect(calls.claim(identity, of: run, for: CallerPresence()) == nil)
        second.leave()
        #expect(calls.claim(identity, of: run, for: CallerPresence()) == Self.call(1))
    }

    @Test func aCallWhoseCallerGotAnotherAnswerIsGivenBack() {
        calls.begin(Self.call(1), identity, of: run, for: CallerPresence())
        calls.release(Self.call(1), of: run)
        #expect(calls.claim(identity, of: run, for: CallerPresence()) == Self.call(1))
    }

    @Test func nothingIsLeftOfDeliveredCallsAndEndedRuns() {
        calls.begin(Self.call(1), identity, of: run, for: CallerPresence())
        calls.end(Self.call(1), of: run)
        #expect(calls.runCount == 0)
        calls.begin(Self.call(2), identity, of: run, for: CallerPresence())
        calls.forget(run)
        #expect(calls.runCount == 0)
    }

    @Test func theCallsOfOneRunAreBounded() {
        for number in 1...5_000 as ClosedRange<UInt64> {
            calls.begin(Self.call(number), identity, of: run, for: CallerPresence())
        }
        for number in 1...3_976 as ClosedRange<UInt64> { calls.release(Self.call(number), of: run) }
        #expect(calls.claim(identity, of: run, for: CallerPresence()) == nil, "the oldest are forgotten")
        calls.release(Self.call(3_977), of: run)
        #expect(calls.claim(identity, of: run, for: CallerPresence()) == Self.call(3_977))
    }
}
