import Domain
import Testing

/// Invariant 22: no holder can exhaust what others need.
@Suite struct ShareTests {
    @Test(arguments: [(1, 1), (2, 1), (3, 1), (4, 2), (16, 8), (1024, 512)])
    func oneHolderAloneStopsAtItsShare(_ total: Int, _ most: Int) {
        var book = ShareBook<String>()
        #expect(book.fill("a", ShareRule(total: total, percent: 50)) == most)
    }

    @Test func whateverHoldersTakeSomethingIsLeftForOneThatComesLater() {
        let rule = ShareRule(total: 1024, percent: 50)
        var book = ShareBook<String>()
        for number in 1...8 {
            #expect(book.fill("greedy \(number)", rule) == 1024 >> number)
            #expect(book.refusal(of: 1, for: "late", rule) == nil)
        }
        #expect(1024 - book.taken == 4)
    }

    @Test func aShareOfAHundredPercentIsTheWhole() {
        var book = ShareBook<String>()
        #expect(book.fill("a", ShareRule(total: 10, percent: 100)) == 10)
        #expect(book.refusal(of: 1, for: "b", ShareRule(total: 10, percent: 100)) == .exhausted)
    }

    @Test func whatIsReleasedCanBeTakenAgainAndNothingIsRemembered() {
        let rule = ShareRule(total: 4, percent: 50)
        var book = ShareBook<String>()
        #expect(book.fill("a", rule) == 2)
        #expect(book.refusal(of: 1, for: "a", rule) == .shareExceeded)
        book.release(2, of: "a")
        #expect(book == ShareBook<String>())
    }

    @Test func aPermitIsReleasedWhenNothingRefersToIt() throws {
        let pool = SharePool<String>(ShareRule(total: 4, percent: 50))
        var permits = [try pool.take(for: "a"), try pool.take(for: "a")]
        #expect(throws: ShareRefusal.shareExceeded) { try pool.take(for: "a") }
        permits.removeLast()
        permits.append(try pool.take(for: "a"))
        permits = []
        #expect(pool.taken == 0)
    }

    @Test func aPermitThatGrowsCountsWithAllThatItHas() throws {
        let pool = SharePool<String>(ShareRule(total: 100, percent: 50))
        let permit = try pool.take(0, for: "a")
        try permit.grow(by: 40)
        try permit.grow(by: 10)
        #expect(throws: ShareRefusal.shareExceeded) { try permit.grow(by: 1) }
        #expect(pool.taken == 50)
        withExtendedLifetime(permit) {}
    }

    @Test func onlyFullBucketsAreForgottenAndANewPrincipalWaitsForOne() {
        var limiter = RateLimiter<Int>(perSecond: 1, burst: 2, bucketsMax: 100)
        var now = Timestamp(microseconds: 1_790_000_000_000_000)
        for key in 0..<100 { #expect(limiter.take(key, at: now) == nil) }
        #expect(limiter.take(0, at: now) == nil && limiter.take(0, at: now) == 1)
        // With all buckets in use a newcomer waits, and the one that used its burst gets no new one.
        #expect(limiter.take(100, at: now) == 1)
        #expect(limiter.take(0, at: now) == 1 && limiter.count == 100)
        now = now.adding(.seconds(1))
        #expect(limiter.take(100, at: now) == nil && limiter.count < 100)
        #expect(limiter.take(0, at: now) == nil && limiter.take(0, at: now) == 1)
    }
}

extension ShareBook<String> {
    /// Takes until it is refused.
    ///
    /// - Returns: the amount that the holder has then.
    fileprivate mutating func fill(_ holder: String, _ rule: ShareRule) -> Int {
        while refusal(of: 1, for: holder, rule) == nil { take(1, for: holder) }
        return held(by: holder)
    }
}
