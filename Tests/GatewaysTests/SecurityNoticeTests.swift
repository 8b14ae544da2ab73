import Domain
import Gateways
import Synchronization
import Testing

@Suite struct SecurityNoticeTests {
    private func time(_ seconds: Int64) -> Timestamp { Timestamp(microseconds: seconds * 1_000_000) }

    @Test func theSameAgainIsToldOfOnceAWindowWithHowManyWereNot() {
        var limiter = NoticeLimiter()
        #expect(limiter.pass("a", at: time(0)) == 0)
        for second in 1..<60 { #expect(limiter.pass("a", at: time(Int64(second))) == nil) }
        #expect(limiter.pass("b", at: time(30)) == 0)
        #expect(limiter.pass("a", at: time(60)) == 59)
        #expect(limiter.pass("a", at: time(61)) == nil)
    }

    @Test func aClockThatIsSetBackSilencesNobody() {
        var limiter = NoticeLimiter()
        #expect(limiter.pass("a", at: time(1000)) == 0)
        #expect(limiter.pass("a", at: time(10)) == 0)
    }

    @Test func whatIsRememberedIsBounded() {
        var limiter = NoticeLimiter()
        for number in 0...NoticeLimiter.thingsMax { #expect(limiter.pass("\(number)", at: time(0)) == 0) }
        #expect(limiter.pass("0", at: time(0)) == 0, "what was forgotten is told of once more")
    }

    @Test func theMarkStopsBeforeWhatIsStillOnItsWay() async {
        let marks = Marks()
        let progress = NoticeProgress(at: Position(10), marks.mark)
        for position in [20, 30, 40] as [UInt64] { progress.begin(Position(position)) }
        await progress.read(through: Position(50))
        await progress.end(Position(30))
        #expect(marks.newest == Position(19))
        await progress.end(Position(20))
        #expect(marks.newest == Position(39))
        await progress.end(Position(40))
        #expect(marks.newest == Position(50))
    }

    @Test func theMarkFollowsALongLogWithNothingToTellOf() async {
        let marks = Marks()
        let progress = NoticeProgress(at: Position(0), marks.mark)
        await progress.read(through: Position(9_999))
        #expect(marks.newest == nil)
        await progress.read(through: Position(10_000))
        #expect(marks.newest == Position(10_000))
    }
}

/// Keeps marks in memory.
private final class Marks: Sendable {
    private let saved = Mutex<[Position]>([])

    var newest: Position? { saved.withLock { $0.last } }

    var mark: NoticeMark {
        NoticeMark {
            self.newest
        } save: { position in
            self.saved.withLock { $0.append(position) }
        }
    }
}
