import Domain
import EventStore
import Testing

@Suite struct EventSubscriptionTests {
    @Test(arguments: BackendUnderTest.allCases)
    func givesEverySubscriberEveryEventOnceAndInOrderWhileAppendersCompete(_ kind: BackendUnderTest) async throws {
        try await kind.use { backend in
            let store = await EventStore(backend: backend, recentEventsMax: 50)
            _ = try await store.append(events(30))
            let total = 30 + 4 * 40 * 3
            try await withThrowingTaskGroup(of: Void.self) { group in
                for subscriber in 0..<16 {
                    let start = Position(UInt64(subscriber * 9 % 31))
                    group.addTask {
                        let seen = try await collect(store, after: start, count: total - Int(start.value))
                        #expect(seen.map(\.position.value) == Array(start.value + 1...UInt64(total)))
                    }
                }
                for _ in 0..<4 {
                    group.addTask {
                        for _ in 0..<40 {
                            let recorded = try await store.append(events(3))
                            #expect(store.durablePosition >= recorded[2].position)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(store.waiterCount == 0)
        }
    }

    @Test func readsFromTheLogWhatIsNoLongerKeptInMemory() async throws {
        let store = await EventStore(backend: InMemoryLogBackend(), recentEventsMax: 8)
        var appended: [RecordedEvent] = []
        for _ in 0..<50 { appended += try await store.append(events(7)) }
        #expect(try await collect(store, after: .zero, count: 350) == appended)
        #expect(try await collect(store, after: Position(345), count: 5) == Array(appended.suffix(5)))
    }

    @Test func readsAfterAStartWhatWasThereBefore() async throws {
        let backend = InMemoryLogBackend()
        let appended = try await EventStore(backend: backend).append(events(5))
        let store = await EventStore(backend: backend)
        #expect(store.durablePosition == Position(5))
        #expect(try await collect(store, after: .zero, count: 5) == appended)
        let more = try await store.append(events(2))
        #expect(try await collect(store, after: Position(4), count: 3) == [appended[4]] + more)
    }

    @Test func keepsNoMoreBytesThanItMay() async throws {
        let store = await EventStore(backend: InMemoryLogBackend(), recentBytesMax: 64 * 1024)
        for _ in 0..<100 { _ = try await store.append(events(1, messageBytes: 4096)) }
        #expect(store.recentByteCount <= 64 * 1024)
        #expect(store.recentByteCount > 32 * 1024)
        _ = try await store.append(events(1, messageBytes: 100_000))
        #expect(store.recentByteCount == 0)
        #expect(try await collect(store, after: .zero, count: 101).map(\.position.value) == Array(1...101))
    }

    @Test func givesOutBatchesOfBoundedSize() async throws {
        let store = await EventStore(backend: InMemoryLogBackend())
        _ = try await store.append(events(10, messageBytes: 1 << 20))
        _ = try await store.append(events(3000))
        for fresh in [store, await EventStore(backend: InMemoryLogBackend(records: records(events(3000))))] {
            var subscription = fresh.subscribe(after: .zero)
            while subscription.position < fresh.durablePosition {
                let batch = try #require(try await subscription.next())
                #expect(batch.count <= EventStore.pageEventsMax)
                #expect(batch.reduce(0) { $0 + $1.event.payload.approximateSizeBytes } <= 5 << 20)
            }
        }
    }

    @Test func waitsBeyondTheEndUntilTheLogGetsThere() async throws {
        let store = await EventStore(backend: InMemoryLogBackend())
        async let first = collect(store, after: Position(5), count: 1)
        for _ in 0..<7 { _ = try await store.append(events(1)) }
        #expect(try await first.first?.position == Position(6))
    }

    @Test func leavesNoWaiterBehindWhenCancelled() async throws {
        let store = await EventStore(backend: InMemoryLogBackend())
        let tasks = (0..<50).map { _ in
            Task {
                var subscription = store.subscribe(after: .zero)
                return try await subscription.next()
            }
        }
        while store.waiterCount < 50 { await Task.yield() }
        for task in tasks { task.cancel() }
        for task in tasks { #expect(try await task.value == nil) }
        #expect(store.waiterCount == 0)
    }

    @Test func aWaitGoesOnOverEventsThatAreNotOfItsInterest() async throws {
        let store = await EventStore(backend: InMemoryLogBackend(), recentEventsMax: 4)
        let interested = Task {
            var subscription = store.subscribe(after: .zero) { $0.payload.approximateSizeBytes > 4096 }
            let batch = try await subscription.next()
            return (batch, subscription.position)
        }
        while store.waiterCount < 1 { await Task.yield() }
        // More than is kept in memory: what is passed is not read again.
        for _ in 0..<50 { _ = try await store.append(events(3)) }
        #expect(store.waiterCount == 1)
        let awaited = try await store.append(events(1, messageBytes: 8192))
        let (batch, position) = try await interested.value
        #expect(batch == awaited && position == awaited[0].position)
    }

    @Test func aBatchThatHasAnEventOfInterestIsGivenOutWhole() async throws {
        let store = await EventStore(backend: InMemoryLogBackend())
        let interested = Task {
            var subscription = store.subscribe(after: .zero) { $0.payload.approximateSizeBytes > 4096 }
            return try await subscription.next()
        }
        while store.waiterCount < 1 { await Task.yield() }
        _ = try await store.append(events(2))
        let awaited = try await store.append(events(1) + events(1, messageBytes: 8192) + events(1))
        #expect(try await interested.value == awaited)
    }

    @Test func everyWaitEndsWithTheStoreOrItsTaskWhateverItsInterest() async throws {
        let store = await EventStore(backend: InMemoryLogBackend())
        let tasks = (0..<2).map { _ in
            Task {
                var subscription = store.subscribe(after: .zero) { _ in false }
                return try await subscription.next()
            }
        }
        while store.waiterCount < 2 { await Task.yield() }
        _ = try await store.append(events(2))
        tasks[0].cancel()
        #expect(try await tasks[0].value == nil)
        try await store.close()
        #expect(try await tasks[1].value == nil)
        #expect(store.waiterCount == 0)
    }

    @Test func survivesCancellationsThatRaceWithAppends() async throws {
        let store = await EventStore(backend: InMemoryLogBackend(), recentEventsMax: 4)
        for round in 0..<200 {
            let start = store.durablePosition
            let task = Task {
                var subscription = store.subscribe(after: start)
                return try await subscription.next()
            }
            async let appended = store.append(events(1))
            if round % 2 == 0 { await Task.yield() }
            task.cancel()
            let batch = try await task.value
            let recorded = try await appended
            #expect(batch == nil || batch == recorded)
        }
        #expect(store.waiterCount == 0)
    }

    @Test func endsEverySubscriptionWhenTheStoreCloses() async throws {
        let store = await EventStore(backend: InMemoryLogBackend())
        _ = try await store.append(events(2))
        let waiting = Task { try await collect(store, after: .zero, count: 3) }
        while store.waiterCount < 1 { await Task.yield() }
        try await store.close()
        #expect(try await waiting.value.count == 2)
        #expect(try await collect(store, after: Position(1), count: 9).count == 1)
    }

    @Test func showsNothingOfAnAppendThatFailed() async throws {
        let backend = InMemoryLogBackend()
        let store = await EventStore(backend: backend)
        _ = try await store.append(events(1))
        await backend.setFailure(.noSpace("full"))
        await #expect(throws: EventStoreError.backend(.noSpace("full"))) { try await store.append(events(2)) }
        #expect(store.durablePosition == Position(1))
        await backend.setFailure(nil)
        let later = try await store.append(events(1))
        #expect(later.map(\.position.value) == [2])
        #expect(try await collect(store, after: .zero, count: 2).last == later.first)
    }

    @Test func pagesNeverHoldMoreThanWasAskedFor() async throws {
        let store = await EventStore(backend: InMemoryLogBackend())
        _ = try await store.append(events(20))
        #expect(try await store.read(from: .zero, limit: 5).map(\.position.value) == Array(1...5))
        #expect(try await store.read(from: Position(18), limit: 5).map(\.position.value) == [18, 19, 20])
        #expect(try await store.read(from: Position(21), limit: 5).isEmpty)
        #expect(try await store.read(from: Position(1), limit: 0).isEmpty)
    }

    private func records(_ events: [Event]) -> [[UInt8]] { events.map { EventCodec.encode($0) } }

    private func events(_ count: Int, messageBytes: Int = 10) -> [Event] {
        let added = RunEventAdded(
            type: "USER_MESSAGE", actor: nil, payloadHash: nil,
            data: JSONText(verified: "\"" + String(repeating: "x", count: messageBytes) + "\""))
        return (0..<count).map { index in
            Event(
                id: EventID(EventSamples.uuid(1)), time: Timestamp(microseconds: 5), workspace: .default,
                stream: StreamID(kind: .run, id: EventSamples.uuid(2)), streamSequence: 1, actor: .scheduler,
                causation: Causation(index: UInt32(index), idempotency: nil), traceparent: nil, timeline: nil,
                payload: .runEventAdded(added))
        }
    }
}

/// Events after `position`, until there are `count` of them or the subscription ends.
private func collect(_ store: EventStore, after position: Position, count: Int) async throws -> [RecordedEvent] {
    var events: [RecordedEvent] = []
    var subscription = store.subscribe(after: position)
    while events.count < count, let batch = try await subscription.next() { events += batch }
    return events
}
