import Domain
import Gateways
import Testing

/// One fetch for all who want a token; the old token is used while it is good.
@Suite struct TokenStateTests {
    private let start = Fixture.start
    private let error = CredentialError(.tokenUnreachable, "no answer")

    private func token(_ text: String, at time: Timestamp) -> AccessToken {
        AccessToken(text, lifetime: .seconds(100), askedAt: time)
    }

    /// A state that holds the token `old`, asked for at the start.
    private func holding() -> TokenState<Int> {
        var state = TokenState<Int>()
        _ = state.take(at: start) { 0 }
        _ = state.fetched(.token(token("old", at: start)), at: start)
        return state
    }

    @Test func theFirstFetchesAndTheOthersHearOfIt() {
        var state = TokenState<Int>()
        #expect(state.take(at: start) { 1 } == .fetch)
        #expect(state.take(at: start) { 2 } == .wait)
        #expect(state.take(at: start) { 3 } == .wait)
        let (own, others) = state.fetched(.token(token("a", at: start)), at: start)
        #expect(own == .token("a"))
        #expect(others.map(\.waiter) == [2, 3] && others.allSatisfy { $0.news == .token("a") })
        #expect(state.take(at: start) { 4 } == .use("a"))
    }

    @Test func aTokenIsRenewedBeforeItEndsWhileTheOthersUseIt() {
        var state = holding()
        #expect(state.take(at: start.adding(.seconds(79))) { 1 } == .use("old"))
        let late = start.adding(.seconds(81))
        #expect(state.take(at: late) { 1 } == .fetch)
        #expect(state.take(at: late) { 2 } == .use("old"))
        #expect(state.take(at: start.adding(.seconds(101))) { 3 } == .wait)
        let (own, others) = state.fetched(.token(token("new", at: late)), at: late)
        #expect(own == .token("new") && others.map(\.waiter) == [3])
        #expect(state.take(at: start.adding(.seconds(120))) { 4 } == .use("new"))
    }

    @Test func aFailedRenewalLeavesTheOldTokenAsLongAsItIsGood() {
        var state = holding()
        let late = start.adding(.seconds(90))
        #expect(state.take(at: late) { 1 } == .fetch)
        #expect(state.fetched(.failed(error), at: late).own == .token("old"))
        let later = start.adding(.seconds(100))
        #expect(state.take(at: later) { 1 } == .fetch)
        #expect(state.take(at: later) { 2 } == .wait)
        let (own, others) = state.fetched(.failed(error), at: later)
        #expect(own == .failed(error) && others.map(\.news) == [.failed(error)])
        #expect(state.take(at: later) { 3 } == .fetch, "the next call tries again")
    }

    @Test func whoeverWaitsTakesOverFromAFetcherThatHasGone() {
        var state = TokenState<Int>()
        _ = state.take(at: start) { 1 }
        _ = state.take(at: start) { 2 }
        _ = state.take(at: start) { 3 }
        let (_, next) = state.fetched(.givenUp, at: start)
        #expect(next.map(\.waiter) == [2] && next.map(\.news) == [.fetch])
        #expect(state.take(at: start) { 4 } == .wait, "one is fetching still")
        #expect(state.fetched(.token(token("a", at: start)), at: start).others.map(\.waiter) == [3, 4])
        _ = state.take(at: start.adding(.seconds(200))) { 5 }
        #expect(state.fetched(.givenUp, at: start).others.isEmpty)
        #expect(state.take(at: start.adding(.seconds(200))) { 6 } == .fetch)
    }

    @Test func aRefusedTokenIsNotUsedAgainAndANewerOneStays() {
        var state = holding()
        state.refuse("older")
        #expect(state.take(at: start) { 1 } == .use("old"))
        state.refuse("old")
        #expect(state.take(at: start) { 1 } == .fetch)
    }
}
