import CommandHandling
import Testing

/// The number of timers that a loop needs.
@Suite struct RunningTimersTests {
    private static let start = ContinuousClock.now

    /// Asks for a timer at each of the seconds; returns those for which one is started.
    private func started(_ seconds: [Int], in timers: inout RunningTimers) -> [Int] {
        seconds.filter { timers.start(Self.start + .seconds($0)) }
    }

    @Test func aTimerThatEndsInTimeIsUsedAgain() {
        var timers = RunningTimers()
        let begun = started(Array(5..<1000), in: &timers)
        #expect(begun == [5] && timers.count == 1)
    }

    @Test func anEarlierTimeNeedsATimerOfItsOwn() {
        var timers = RunningTimers()
        let begun = started([5, 3, 4], in: &timers)
        timers.ended(Self.start + .seconds(3))
        let later = started([4, 5], in: &timers)
        #expect(begun == [5, 3] && later == [4] && timers.count == 2)
    }

    @Test func aTimerThatHasEndedIsStartedAgain() {
        var timers = RunningTimers()
        let begun = started([5], in: &timers)
        timers.ended(Self.start + .seconds(5))
        let isEmpty = timers.count == 0
        let later = started([10], in: &timers)
        #expect(begun == [5] && isEmpty && later == [10])
    }

    @Test func theEndOfAnotherTimerChangesNothing() {
        var timers = RunningTimers()
        _ = started([5], in: &timers)
        timers.ended(Self.start + .seconds(6))
        let later = started([7], in: &timers)
        #expect(later.isEmpty && timers.count == 1)
    }
}
