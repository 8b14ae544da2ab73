import Domain
import TestSupport
import Testing

@Suite struct ModelLimitTests {
    private static func limit(_ spec: String) throws -> ModelLimit {
        try ModelLimit(name: "l", spec: try JSONValue(parsing: Array(spec.utf8)))
    }

    @Test(
        arguments: [
            ("gpt-4o", "gpt-4o", true), ("gpt-4o", "gpt-4o-mini", false), ("gpt-*", "gpt-4o", true),
            ("*", "", true), ("*", "any", true), ("*-mini", "gpt-4o-mini", true), ("*-mini", "gpt-mini-4", false),
            ("a*b*c", "axxbyyc", true), ("a*b*c", "abc", true), ("a*b*c", "acb", false), ("**a**", "bab", true),
            ("a*a", "a", false), ("", "", true), ("", "a", false), ("é*", "éa", true), ("a?c", "abc", false),
        ] as [(String, String, Bool)])
    func aStarStandsForAnyCharacters(pattern: String, name: String, matches: Bool) {
        #expect(WildcardPattern(pattern).matches(name) == matches)
    }

    /// The obvious recursion over all ways to place each star.
    private static func matches(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        if first == UInt8(ascii: "*") {
            return (name.startIndex...name.endIndex).contains { matches(pattern.dropFirst(), name[$0...]) }
        }
        return name.first == first && matches(pattern.dropFirst(), name.dropFirst())
    }

    @Test func patternsMatchAsEveryPlaceOfTheirStarsSays() {
        var random = SeededRandom(seed: 1)
        func text(_ letters: String, _ random: inout SeededRandom) -> String {
            String((0..<Int.random(in: 0...7, using: &random)).map { _ in random.pick(Array(letters)) })
        }
        for _ in 0..<5_000 {
            let (pattern, name) = (text("ab*", &random), text("ab", &random))
            let expected = Self.matches(Array(pattern.utf8)[...], Array(name.utf8)[...])
            #expect(WildcardPattern(pattern).matches(name) == expected, "\(pattern) \(name)")
        }
    }

    @Test func aLimitIsReadExactly() throws {
        let limit = try Self.limit(
            #"{"subject":{"user":"a*"},"requests":{"minute":3,"day":null},"cost_usd":{"month":0.1}}"#)
        #expect(limit.kind == .user && limit.pattern == WildcardPattern("a*"))
        #expect(limit.allowances.map(\.measure) == [.requests, .cost])
        #expect(limit.allowances.map(\.window) == [.minute, .month])
        #expect(limit.allowances.map(\.amount) == [3, 100_000])
        #expect(limit.covers(ModelSubject(.user, "ada")) && !limit.covers(ModelSubject(.key, "ada")))
    }

    @Test(
        arguments: [
            ("[]", " must be an object"), ("{}", ".subject must be an object with one of key, user, model"),
            (#"{"subject":{"user":"a","key":"b"}}"#, ".subject must be"),
            (#"{"subject":{"team":"a"}}"#, ".subject must be"),
            (#"{"subject":{"user":""}}"#, ".subject.user must be a name or a pattern"),
            (#"{"subject":{"user":7}}"#, ".subject.user must be a name or a pattern"),
            (#"{"subject":{"user":"a"}}"#, " must have requests, tokens or cost_usd"),
            (#"{"subject":{"user":"a"},"requests":{}}"#, " must have requests, tokens or cost_usd"),
            (#"{"subject":{"user":"a"},"requests":5}"#, ".requests must be an object"),
            (#"{"subject":{"user":"a"},"requests":{"hour":5}}"#, ".requests must not have hour; known are minute, day"),
            (#"{"subject":{"user":"a"},"requests":{"day":1.5}}"#, ".requests.day must be a whole number"),
            (#"{"subject":{"user":"a"},"tokens":{"day":-1}}"#, ".tokens.day must be a whole number"),
            (#"{"subject":{"user":"a"},"tokens":{"day":"1"}}"#, ".tokens.day must be a number"),
            (#"{"subject":{"user":"a"},"cost_usd":{"day":1e99}}"#, ".cost_usd.day must be a number of dollars"),
            (#"{"subject":{"user":"a"},"cost":{"day":1}}"#, " must not have cost; known are subject, requests, tokens"),
        ] as [(String, String)])
    func aFaultIsNamed(spec: String, says: String) {
        let fault = #expect(throws: InvalidModelLimit.self) { try Self.limit(spec) }
        #expect(fault?.message.hasPrefix(says) == true, "\(fault?.message ?? "")")
    }

    @Test func whatCallsInFlightMayUseLeavesNoRoomEither() throws {
        let limit = try Self.limit(#"{"subject":{"model":"m"},"requests":{"day":2},"tokens":{"month":10}}"#)
        func standing(_ used: CallAmounts, held: CallAmounts) -> ModelLimit.Standing? {
            limit.reached(used: { _ in used }, held: { _ in held })?.standing
        }
        #expect(standing(CallAmounts(requests: 1, tokens: 9), held: CallAmounts()) == nil)
        #expect(standing(CallAmounts(requests: 2), held: CallAmounts()) == .reached(used: 2))
        // A request in flight is a request; its tokens are an estimate.
        #expect(standing(CallAmounts(requests: 1), held: CallAmounts(requests: 1)) == .reached(used: 2))
        #expect(standing(CallAmounts(tokens: 4), held: CallAmounts(tokens: 6)) == .reserved(used: 4))
        #expect(standing(CallAmounts(tokens: 10), held: CallAmounts(tokens: 6)) == .reached(used: 10))
        #expect(standing(CallAmounts(tokens: 4), held: CallAmounts(tokens: .max)) == .reserved(used: 4))
    }

    @Test(
        arguments: [
            ("2026-11-30T23:59:59.999999Z", "2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z"),
            ("2026-12-31T10:30:00Z", "2026-12-31T10:31:00Z", "2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            ("2024-02-28T00:00:01Z", "2024-02-28T00:01:00Z", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"),
        ])
    func windowsAreThoseOfTheCalendar(time: String, minute: String, day: String, month: String) throws {
        let time = try #require(Timestamp(rfc3339: time))
        for (window, end) in [(LimitWindow.minute, minute), (.day, day), (.month, month)] {
            #expect(window.end(containing: time) == Timestamp(rfc3339: end))
        }
    }

    @Test(
        arguments: [
            ("7d", "2026-11-23"), ("2w", "2026-11-16"), ("2026-01-31", "2026-01-31"), ("0d", nil), ("d", nil),
            ("7", nil), ("-7d", nil), ("7h", nil), ("99999d", nil), ("", nil), ("²d", nil),
        ] as [(String, String?)])
    func aPeriodBeginsDaysOrWeeksBeforeToday(text: String, first: String?) throws {
        let today = try #require(CalendarDay("2026-11-30"))
        #expect(CalendarDay(since: text, before: today)?.description == first)
    }

    @Test func aCallCountsForItsKeyItsUserAndItsModel() {
        let key = Actor(kind: .apiKey(APIKeyID(UUIDValue(high: 0, low: 1))), name: "k")
        #expect(
            ModelSubject.all(actor: key, user: "u", model: "m")
                == [ModelSubject(.key, "k"), ModelSubject(.user, "u"), ModelSubject(.model, "m")])
        #expect(ModelSubject.all(actor: .gateway, user: "", model: "m") == [ModelSubject(.model, "m")])
    }
}

@Suite struct ReservationBookTests {
    private typealias Book = ReservationBook

    private static let workspace = WorkspaceName.default
    private static let account = Book.Account(workspace: workspace, subject: ModelSubject(.user, "u"))
    private static let holder = ResourceKey(workspace: workspace, kind: .agent, name: "a")

    private static func reservation(cost: UInt64, minute: Int64 = 1) -> Book.Reservation {
        Book.Reservation(
            holder: holder,
            spending: ModelSpending(provider: "p", providerKind: "openai", model: "m", cost: MicroUSD(cost)),
            accounts: [account], amounts: CallAmounts(requests: 1, tokens: 2 * cost, cost: MicroUSD(cost)),
            minute: minute)
    }

    @Test func aSettledCallCountsByWhatItUsed() {
        var book = Book()
        let call = book.reserve(Self.reservation(cost: 50))
        #expect(book.held(by: Self.account) == CallAmounts(requests: 1, tokens: 100, cost: MicroUSD(50)))
        #expect(book.spending(of: Self.holder).cost == MicroUSD(50))
        #expect(book.counted(for: Self.account, in: 1) == CallAmounts(requests: 1))
        book.settle(call, CallAmounts(tokens: 7, cost: MicroUSD(3)), in: 1)
        book.settle(call, CallAmounts(tokens: 7, cost: MicroUSD(3)), in: 1)
        #expect(book.held(by: Self.account) == CallAmounts() && book.spending(of: Self.holder).isEmpty)
        #expect(book.counted(for: Self.account, in: 1) == CallAmounts(requests: 1, tokens: 7, cost: MicroUSD(3)))
    }

    @Test func aCallThatWasNotSentCountsForNothing() {
        var book = Book()
        let (first, second) = (book.reserve(Self.reservation(cost: 5)), book.reserve(Self.reservation(cost: 5)))
        book.release(first)
        #expect(book.counted(for: Self.account, in: 1) == CallAmounts(requests: 1))
        #expect(book.held(by: Self.account) == CallAmounts(requests: 1, tokens: 10, cost: MicroUSD(5)))
        #expect(book.counted(for: Self.account, in: 2) == CallAmounts(), "a minute begins again")
        let third = book.reserve(Self.reservation(cost: 5, minute: 2))
        book.release(second)
        #expect(book.counted(for: Self.account, in: 2) == CallAmounts(requests: 1), "nor is it taken from another one")
        book.release(third)
        #expect(book.counted(for: Self.account, in: 2) == CallAmounts())
    }

    @Test func aCallOfAnEarlierMinuteHoldsItsRoomAndUsesItsTokensWhenItEnds() {
        var book = Book()
        let call = book.reserve(Self.reservation(cost: 5, minute: 1))
        #expect(book.counted(for: Self.account, in: 3) == CallAmounts())
        #expect(book.held(by: Self.account).tokens == 10)
        book.settle(call, CallAmounts(tokens: 8), in: 3)
        #expect(book.counted(for: Self.account, in: 3) == CallAmounts(tokens: 8))
    }

    @Test func nothingIsLeftOfCallsThatEnded() {
        var (book, random, calls) = (Book(), SeededRandom(seed: 3), [UInt64]())
        for _ in 0..<2_000 {
            if random.chance(50), let call = calls.popLast() {
                random.chance(50) ? book.release(call) : book.settle(call, CallAmounts(tokens: 1), in: 1)
            } else {
                calls.append(book.reserve(Self.reservation(cost: .random(in: 0...9, using: &random))))
            }
        }
        for call in calls { book.release(call) }
        #expect(book.held(by: Self.account) == CallAmounts() && book.spending(of: Self.holder).isEmpty)
    }
}
