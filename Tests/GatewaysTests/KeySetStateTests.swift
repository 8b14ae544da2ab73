import Authentication
import Domain
import Gateways
import Testing

/// When an identity provider's keys are fetched.
@Suite struct KeySetStateTests {
    private var state = KeySetState<Int>()
    private let start = ContinuousClock.now

    private enum Step: Equatable {
        case use(UInt64)
        case fetch, wait
        case fail(String)
    }

    private mutating func take(after seconds: Int, newerThan generation: UInt64? = nil) -> Step {
        let now = start.advanced(by: .seconds(seconds))
        let step =
            if let generation {
                state.take(newerThan: generation, at: now) { seconds }
            } else {
                state.take(at: now) { seconds }
            }
        return switch step {
        case .use(let keys): .use(keys.generation)
        case .fetch: .fetch
        case .wait: .wait
        case .fail(let reason): .fail(reason)
        }
    }

    @discardableResult
    private mutating func fetched(_ outcome: KeysOutcome, after seconds: Int) -> [Int] {
        state.fetched(outcome, at: start.advanced(by: .seconds(seconds))).others.map(\.waiter)
    }

    private static func keys() async throws -> KeysOutcome {
        let document = #"""
            {"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}
            """#
        return .keys(try #require(await KeySet(try JSONValue(parsing: Array(document.utf8)))))
    }

    @Test mutating func oneFetchesForAllWhoWait() async throws {
        #expect(take(after: 0) == .fetch)
        #expect(take(after: 1) == .wait)
        #expect(take(after: 2) == .wait)
        #expect(fetched(try await Self.keys(), after: 3) == [1, 2])
        #expect(take(after: 4) == .use(1))
    }

    @Test mutating func oldKeysAreFetchedAgainWhileOthersUseThem() async throws {
        _ = take(after: 0)
        fetched(try await Self.keys(), after: 0)
        #expect(take(after: 599) == .use(1))
        #expect(take(after: 600) == .fetch)
        #expect(take(after: 600) == .use(1))
        fetched(try await Self.keys(), after: 601)
        #expect(take(after: 601) == .use(2))
    }

    @Test mutating func whenTheyCannotBeFetchedOldKeysAreUsedForAnHour() async throws {
        _ = take(after: 0)
        fetched(try await Self.keys(), after: 0)
        for time in stride(from: 600, to: 3600, by: 10) {
            #expect(take(after: time) == .fetch)
            fetched(.failed("down"), after: time)
            #expect(take(after: time + 1) == .use(1), "nobody waits for the next try")
        }
        #expect(take(after: 3600) == .fetch)
        fetched(.failed("down"), after: 3600)
        #expect(take(after: 3601) == .fail("down"))
    }

    @Test mutating func afterAFailureNobodyAsksForAMoment() {
        _ = take(after: 0)
        fetched(.failed("down"), after: 0)
        #expect(take(after: 2) == .fail("down"))
        #expect(take(after: 3) == .fetch)
    }

    @Test mutating func anUnknownKeyIsAskedForAtOnceAndThenAfterAPause() async throws {
        _ = take(after: 0)
        fetched(try await Self.keys(), after: 0)
        #expect(take(after: 1, newerThan: 1) == .fetch)
        #expect(take(after: 1, newerThan: 1) == .wait)
        #expect(take(after: 1) == .use(1), "who knows the key does not wait")
        fetched(try await Self.keys(), after: 1)
        #expect(take(after: 2, newerThan: 1) == .use(2), "fetched meanwhile")
        #expect(take(after: 2, newerThan: 2) == .use(2), "the same again: there is nothing newer")
        #expect(take(after: 4, newerThan: 2) == .fetch)
        fetched(.failed("down"), after: 4)
        #expect(take(after: 5) == .use(2))
    }

    @Test mutating func whoIsCancelledLeavesTheFetchToTheNext() async throws {
        _ = take(after: 0)
        #expect(take(after: 1) == .wait)
        #expect(take(after: 2) == .wait)
        let (_, others) = state.fetched(.givenUp, at: start)
        guard case .fetch? = others.first?.news else {
            Issue.record("nobody fetches")
            return
        }
        #expect(others.map(\.waiter) == [1])
        #expect(fetched(try await Self.keys(), after: 3) == [2])
    }
}
