import Gateways
import Synchronization
import Testing

struct CallEndTests {
    private let end = CallEnd()
    private let reason = EndedCall(status: 403, code: "AGENT_STOPPED", message: "stopped")

    private static func waitUntilCancelled() async throws {
        let (nothing, never) = AsyncStream<Void>.makeStream()
        for await _ in nothing {}
        withExtendedLifetime(never) {}
        try Task.checkCancellation()
    }

    @Test func anOperationThatIsNotEndedHasItsResult() async throws {
        #expect(try await end.racing { 7 } == 7)
        await #expect(throws: CancellationError.self) { try await end.racing { throw CancellationError() } }
    }

    @Test func theEndCancelsTheOperationAndNotItsCaller() async {
        let (begun, hasBegun) = AsyncStream<Void>.makeStream()
        let caller = Task {
            await #expect(throws: reason) {
                try await end.racing {
                    hasBegun.finish()
                    try await Self.waitUntilCancelled()
                }
            }
            return Task.isCancelled
        }
        for await _ in begun {}
        end.come(reason)
        #expect(await !caller.value)
    }

    @Test func anOperationThatSwallowsItsCancellationIsEndedAllTheSame() async {
        let (begun, hasBegun) = AsyncStream<Void>.makeStream()
        let caller = Task {
            try await end.racing {
                hasBegun.finish()
                try? await Self.waitUntilCancelled()
                return "an answer to a call that was ended"
            }
        }
        for await _ in begun {}
        end.come(reason)
        await #expect(throws: reason) { try await caller.value }
    }

    @Test func anEndThatHasComeLetsNothingBegin() async {
        let hasRun = Mutex(false)
        end.come(reason)
        end.come(EndedCall(status: 409, code: "RUN_ENDED", message: "a later reason"))
        await #expect(throws: reason) { try await end.racing { hasRun.withLock { $0 = true } } }
        #expect(!hasRun.withLock { $0 })
    }

    @Test func theEndCancelsEveryOperationOfTheCall() async throws {
        let (begun, hasBegun) = AsyncStream<Int>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                group.addTask {
                    await #expect(throws: reason) {
                        try await end.racing {
                            hasBegun.yield(number)
                            try await Self.waitUntilCancelled()
                        }
                    }
                }
            }
            for await _ in begun.prefix(8) {}
            end.come(reason)
            try await group.waitForAll()
        }
    }

    @Test func theCancellationOfTheCallerIsTheOperations() async {
        let (begun, hasBegun) = AsyncStream<Void>.makeStream()
        let caller = Task {
            try await end.racing {
                hasBegun.finish()
                try await Self.waitUntilCancelled()
            }
        }
        for await _ in begun {}
        caller.cancel()
        await #expect(throws: CancellationError.self) { try await caller.value }
    }

    /// Under the lock that the end takes a task has not ended yet; a thread sanitizer or a crash would show one that has.
    @Test func endsAndOperationsRace() async {
        await withTaskGroup { group in
            for _ in 0..<2000 {
                let (end, reason) = (CallEnd(), reason)
                group.addTask { _ = try? await end.racing { await Task.yield() } }
                group.addTask { end.come(reason) }
            }
        }
    }
}
