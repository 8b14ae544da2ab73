import Execution
import Testing

@Suite struct AgentLifecycleTests {
    private var lifecycle = AgentLifecycle()

    @Test mutating func startsOnceForAllWhoAsk() {
        #expect(lifecycle.demand(at: .zero) == .start(1, after: .zero))
        #expect(lifecycle.demand(at: .zero) == .wait(1))
        lifecycle.answers(1, at: .seconds(1))
        #expect(lifecycle.demand(at: .seconds(1)) == .use(1))
    }

    @Test mutating func waitsLongerAfterEachCrash() {
        _ = lifecycle.demand(at: .zero)
        #expect(lifecycle.ended(1, at: .zero) == .restart(2, after: .seconds(1)))
        #expect(lifecycle.ended(2, at: .seconds(1)) == .restart(3, after: .seconds(2)))
        #expect(lifecycle.ended(3, at: .seconds(3)) == .restart(4, after: .seconds(4)))
        #expect(lifecycle.ended(4, at: .seconds(7)) == .restart(5, after: .seconds(8)))
    }

    @Test mutating func givesUpACrashLoopUntilACallNeedsIt() {
        _ = lifecycle.demand(at: .zero)
        for number in 1...4 { _ = lifecycle.ended(UInt64(number), at: .zero) }
        #expect(lifecycle.ended(5, at: .zero) == .crashLoop)
        #expect(!lifecycle.hasInstance)
        #expect(lifecycle.demand(at: .seconds(6)) == .start(6, after: .seconds(10)))
    }

    @Test mutating func forgetsCrashesAfterASteadyTime() {
        _ = lifecycle.demand(at: .zero)
        _ = lifecycle.ended(1, at: .zero)
        _ = lifecycle.ended(2, at: .zero)
        lifecycle.answers(3, at: .seconds(10))
        #expect(lifecycle.ended(3, at: .seconds(100)) == .restart(4, after: .seconds(1)))
    }

    @Test mutating func letsCallsOfAReplacedInstanceFinish() throws {
        _ = lifecycle.demand(at: .zero)
        lifecycle.answers(1, at: .zero)
        _ = lifecycle.demand(at: .zero)
        _ = lifecycle.demand(at: .zero)
        let answer = lifecycle.retire()
        let retired = try #require(answer)
        #expect(retired.number == 1 && !retired.isIdle)
        #expect(lifecycle.demand(at: .zero) == .start(2, after: .zero))
        #expect(lifecycle.giveBack(1, at: .zero) == nil)
        #expect(lifecycle.giveBack(1, at: .zero) == 1)
        #expect(lifecycle.ended(1, at: .zero) == .expected)
        #expect(lifecycle.demand(at: .zero) == .wait(2))
    }

    @Test mutating func theInstanceOnTrialGetsNoCallsUntilItIsPromoted() throws {
        _ = lifecycle.demand(at: .zero)
        lifecycle.answers(1, at: .zero)
        #expect(lifecycle.beginTrial() == 2)
        lifecycle.answers(2, at: .zero)
        #expect(lifecycle.demand(at: .zero) == .use(1))
        let answer = lifecycle.promote(2, at: .seconds(1))
        let replaced = try #require(answer)
        #expect(replaced.number == 1 && !replaced.isIdle)
        #expect(lifecycle.demand(at: .seconds(1)) == .use(2))
        #expect(lifecycle.giveBack(1, at: .seconds(1)) == 1)
        #expect(lifecycle.ended(1, at: .seconds(1)) == .expected)
    }

    @Test mutating func aTrialThatEndsLeavesTheServingInstanceAlone() {
        _ = lifecycle.demand(at: .zero)
        lifecycle.answers(1, at: .zero)
        let number = lifecycle.beginTrial()
        #expect(lifecycle.ended(number, at: .zero) == .expected)
        #expect(lifecycle.promote(number, at: .zero)?.number == nil)
        #expect(lifecycle.crashes == 0 && lifecycle.demand(at: .zero) == .use(1))
    }

    @Test mutating func theInstanceOfAnUnansweredCallEndsWithItsLastCallAndNoOtherDoes() throws {
        _ = lifecycle.demand(at: .zero)
        lifecycle.answers(1, at: .zero)
        for _ in 0..<2 { _ = lifecycle.demand(at: .zero) }
        #expect(lifecycle.retire(7)?.number == nil, "another instance")
        let answer = lifecycle.retire(1)
        #expect(answer?.number == 1 && answer?.isIdle == false)
        #expect(lifecycle.retire(1)?.number == nil, "it gets no calls already")
        #expect(lifecycle.demand(at: .zero) == .start(2, after: .zero))
        #expect(lifecycle.giveBack(1, at: .zero) == nil)
        #expect(lifecycle.giveBack(1, at: .zero) == 1)
        #expect(lifecycle.demand(at: .zero) == .wait(2))
    }

    @Test mutating func isIdleWithoutCallsOnly() {
        _ = lifecycle.demand(at: .zero)
        #expect(lifecycle.idleSince == nil)
        lifecycle.answers(1, at: .zero)
        #expect(lifecycle.demand(at: .seconds(2)) == .use(1))
        #expect(lifecycle.idleSince == nil)
        #expect(lifecycle.giveBack(1, at: .seconds(5)) == nil)
        #expect(lifecycle.idleSince == .seconds(5))
    }

    @Test mutating func anAnswerOfAnOldInstanceChangesNothing() {
        _ = lifecycle.demand(at: .zero)
        _ = lifecycle.retire()
        _ = lifecycle.demand(at: .zero)
        lifecycle.answers(1, at: .zero)
        #expect(lifecycle.demand(at: .zero) == .wait(2))
    }
}
