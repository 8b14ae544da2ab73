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

    private func clock(continuing start: Timestamp? = nil) -> SteadyClock {
        SteadyClock(stepMin: .seconds(60), continuing: start, read: machine.read)
    }

    @Test func showsTheWallClockWhileItRunsEvenly() {
        let clock = clock()
        for _ in 0..<5 {
            machine.pass(.seconds(3600))
            #expect(clock.now() == machine.wall)
        }
        #expect(clock.state.step == nil)
    }

    @Test func followsCorrectionsThatAreSmallerThanAStep() {
        let clock = clock()
        for correction in [Duration.seconds(59), .seconds(-59), .milliseconds(2), .seconds(-30)] {
            machine.step(correction)
            #expect(clock.now() == machine.wall)
        }
        #expect(clock.state.step == nil)
    }

    @Test(arguments: [Duration.seconds(40 * 86_400), .seconds(-40 * 86_400), .seconds(60), .seconds(-60)])
    func continuesAsIfThereWasNoStep(_ step: Duration) {
        let clock = clock()
        machine.pass(.seconds(10))
        machine.step(step)
        #expect(clock.now() == Self.begin.adding(.seconds(10)))
        machine.pass(.seconds(5))
        #expect(clock.now() == Self.begin.adding(.seconds(15)))
        #expect(clock.state == ClockState(time: clock.now(), wallTime: machine.wall, step: step))
        #expect(clock.wallTime() == machine.wall)
    }

    @Test func followsTheWallClockAgainOnceItIsSetRight() {
        let clock = clock()
        machine.step(.seconds(86_400))
        machine.pass(.seconds(15))
        #expect(clock.now() == Self.begin.adding(.seconds(15)))
        machine.step(.seconds(-86_401))
        #expect(clock.now() == machine.wall)
        #expect(clock.state.step == nil)
    }

    @Test func followsAStepThatIsConfirmed() {
        let clock = clock()
        machine.step(.seconds(86_400))
        clock.followWallClock()
        #expect(clock.now() == machine.wall)
        machine.step(.seconds(-86_400))
        #expect(clock.state.step == .seconds(-86_400))
    }

    @Test func theNextProcessKnowsOfAStepWhileNoneRan() {
        let start = clock().machineStart
        machine.pass(.seconds(100))
        machine.step(.seconds(86_400))
        let clock = clock(continuing: start)
        #expect(clock.now() == Self.begin.adding(.seconds(100)))
        #expect(clock.state.step == .seconds(86_400))
    }

    @Test func continuesAfterTheNewestEventWhenTheWallClockIsBehindIt() {
        let clock = clock()
        let newest = machine.wall.adding(.seconds(86_400))
        clock.advance(to: newest)
        #expect(clock.now() == newest)
        machine.pass(.seconds(5))
        #expect(clock.now() == newest.adding(.seconds(5)))
        #expect(clock.state.step == .seconds(-86_400))
    }

    @Test(arguments: [Duration.seconds(-86_400), .zero, .seconds(59)])
    func aNewestEventThatIsNotAheadChangesNothing(_ distance: Duration) {
        let clock = clock()
        clock.advance(to: machine.wall.adding(distance))
        #expect(clock.now() == machine.wall)
    }
}
