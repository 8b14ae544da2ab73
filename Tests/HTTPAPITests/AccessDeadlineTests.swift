import Domain
import HTTPAPI
import Testing

/// The ends of an access, each by the clock that it is judged by.
@Suite struct AccessDeadlineTests {
    private static let start = Timestamp(microseconds: 1_790_000_000_000_000)

    private func time(_ event: Int, wall: Int) -> AccessTime {
        AccessTime(time: Self.start.adding(.seconds(event)), wallTime: Self.start.adding(.seconds(wall)))
    }

    private func deadline(_ event: Int? = nil, wall: Int? = nil) -> AccessDeadline {
        AccessDeadline(
            time: event.map { Self.start.adding(.seconds($0)) }, wallTime: wall.map { Self.start.adding(.seconds($0)) })
    }

    @Test func aKeyEndsByTheTimeOfEventsAndATokenByTheWallClock() {
        let (key, token) = (deadline(60), deadline(wall: 60))
        #expect(!key.isReached(at: time(0, wall: 86_400)) && token.isReached(at: time(0, wall: 86_400)))
        #expect(key.isReached(at: time(60, wall: -86_400)) && !token.isReached(at: time(60, wall: -86_400)))
        #expect(!deadline().isReached(at: time(86_400, wall: 86_400)))
        #expect(deadline().distance(from: time(0, wall: 0)) == nil)
    }

    @Test func anAccessThatNeedsBothEndsWithTheFirst() {
        let both = deadline(60, wall: 50).earlier(deadline(70, wall: 40)).earlier(deadline())
        #expect(both == deadline(60, wall: 40))
        #expect(both.distance(from: time(0, wall: 0)) == .seconds(40))
        #expect(both.distance(from: time(30, wall: 0)) == .seconds(30))
        #expect(both.distance(from: time(61, wall: 0)) == .seconds(-1))
    }
}
