import CommandHandling
import Domain
import Synchronization
import Testing

/// The machine's two clocks, in the test's hands.
private final class Machine: Sendable {
    private let state: Mutex<(wall: Timestamp, sinceStart: Duration)>

    init(wall: Timestamp, sinceStart: Duration = .seconds(1000)) { state = Mutex((wall, sinceStart)) }

    func pass(_ duration: Duration) {
        state.withLock { $0 = ($0.wall.adding(duration), $0.sinceStart + duration) }
    }

    func step(_ duration: Duration) { state.withLock { $0.wall = $0.wall.adding(duration) } }

    var wall: Timestamp { state.withLock { $0.wall } }

    @Sendable func read() -> SteadyClock.Reading {
        state.withLock { SteadyClock.Reading(wall: $0.wall, sinceStart: $0.sinceStart) }
    }
}

@Suite struct SteadyClockTests {
    private static let begin = Timestamp(microseconds: 1_790_000_000_000_000)
    private let machine = Machine(wall: begin)

    private func clock(continuing start: Timestamp? = nil, confirmedEvent: Timestamp? = nil) -> SteadyClock {
        SteadyClock(stepMin: .seconds(60), continuing: start, confirmedEvent: confirmedEvent, read: machine.read)
    }

    @Test func showsTheWallClockWhileItRunsEvenly() {
        let clock = clock()
        for _ in 0..<5 {
            machine.pass(.seconds(3600))
            #expect(clock.now() == machine.wall)
        }
        #expect(clock.step == nil)
    }

    @Test func followsCorrectionsThatAreSmallerThanAStep() {
        let clock = clock()
        for correction in [Duration.seconds(59), .seconds(-59), .milliseconds(2), .seconds(-30)] {
            machine.step(correction)
            #expect(clock.now() == machine.wall)
        }
        #expect(clock.step == nil)
    }

    @Test(arguments: [Duration.seconds(40 * 86_400), .seconds(-40 * 86_400), .seconds(60), .seconds(-60)])
    func continuesAsIfThereWasNoStep(_ step: Duration) {
        let clock = clock()
        machine.pass(.seconds(10))
        machine.step(step)
        #expect(clock.now() == Self.begin.adding(.seconds(10)))
        machine.pass(.seconds(5))
        #expect(clock.now() == Self.begin.adding(.seconds(15)))
        let state = clock.state(newestEvent: clock.now())
        #expect(state.time == clock.now() && state.wallTime == machine.wall && state.step == step)
        #expect(state.isBehindEvents == (step < .zero) && !state.isHeld)
        #expect(clock.wallTime() == machine.wall)
    }

    @Test func followsTheWallClockAgainOnceItIsSetRight() {
        let clock = clock()
        machine.step(.seconds(86_400))
        machine.pass(.seconds(15))
        #expect(clock.now() == Self.begin.adding(.seconds(15)))
        machine.step(.seconds(-86_401))
        #expect(clock.now() == machine.wall)
        #expect(clock.step == nil)
    }

    @Test func followsAStepThatIsConfirmed() {
        let clock = clock()
        machine.step(.seconds(86_400))
        clock.followWallClock(newestEvent: Self.begin)
        #expect(clock.now() == machine.wall && clock.confirmedEvent == nil)
        machine.step(.seconds(-86_400))
        #expect(clock.step == .seconds(-86_400))
    }

    @Test func theNextProcessKnowsOfAStepWhileNoneRan() {
        let start = clock().machineStart
        machine.pass(.seconds(100))
        machine.step(.seconds(86_400))
        let clock = clock(continuing: start)
        #expect(clock.now() == Self.begin.adding(.seconds(100)))
        #expect(clock.step == .seconds(86_400))
    }

    @Test func continuesAfterTheNewestEventWhenTheWallClockIsBehindIt() {
        let clock = clock()
        let newest = machine.wall.adding(.seconds(86_400))
        clock.advance(to: newest)
        #expect(clock.now() == newest)
        machine.pass(.seconds(5))
        #expect(clock.now() == newest.adding(.seconds(5)))
        #expect(clock.step == .seconds(-86_400))
    }

    /// Events were recorded ahead once: the true time is confirmed all the same, and stays so in later processes, on the same
    /// start of the machine and on others.
    @Test(arguments: [true, false]) func aConfirmedWallClockStaysBehindTheNewestEvent(_ isSameStart: Bool) {
        let first = clock()
        let newest = machine.wall.adding(.seconds(86_400))
        first.advance(to: newest)
        #expect(first.state(newestEvent: newest).isBehindEvents && !first.state(newestEvent: newest).isHeld)
        first.followWallClock(newestEvent: newest)
        #expect(first.now() == machine.wall)
        machine.pass(.seconds(3600))
        let next = clock(continuing: isSameStart ? first.machineStart : nil, confirmedEvent: first.confirmedEvent)
        next.advance(to: newest)
        let state = next.state(newestEvent: newest)
        #expect(next.now() == machine.wall && state.step == nil && state.isHeld && state.eventTime == newest)
        machine.pass(.seconds(86_400))
        #expect(next.state(newestEvent: newest).eventTime == machine.wall && !next.state(newestEvent: newest).isHeld)
    }

    @Test func aConfirmationHoldsForTheEventsThatItWasGivenFor() {
        let clock = clock(confirmedEvent: machine.wall.adding(.seconds(3600)))
        let later = machine.wall.adding(.seconds(86_400))
        clock.advance(to: later)
        #expect(clock.now() == later)
    }

    @Test(arguments: [Duration.seconds(-86_400), .zero, .seconds(59)])
    func aNewestEventThatIsNotAheadChangesNothing(_ distance: Duration) {
        let clock = clock()
        clock.advance(to: machine.wall.adding(distance))
        #expect(clock.now() == machine.wall)
    }
}

extension SteadyClock {
    fileprivate var step: Duration? { state(newestEvent: Timestamp(microseconds: 0)).step }
}
