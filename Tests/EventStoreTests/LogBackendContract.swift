import EventLog
import EventStore
import TestSupport
import Testing

/// What every `LogBackend` promises.
@Suite struct LogBackendContract {
    @Test(arguments: BackendUnderTest.allCases)
    func givesDensePositionsFromOne(_ kind: BackendUnderTest) async throws {
        try await kind.use { backend in
            #expect(await backend.durablePosition == 0)
            var firsts: [UInt64] = []
            for batch in [[record(1)], [record(2), record(3)], [record(4)]] {
                firsts.append(try await backend.append(batch))
            }
            #expect(firsts == [1, 2, 4])
            #expect(await backend.durablePosition == 4)
        }
    }

    @Test(arguments: BackendUnderTest.allCases, [1, 100, 10_000])
    func readsOnFromAnyPosition(_ kind: BackendUnderTest, bytesMax: Int) async throws {
        try await kind.use { backend in
            let records = try await fill(backend, batches: 40)
            for start in 1...records.count {
                var found: [[UInt8]] = []
                while true {
                    let page = try await backend.read(from: UInt64(start + found.count), bytesMax: bytesMax)
                    if page.isEmpty { break }
                    found += page.compactMap(\.bytes)
                }
                #expect(found == Array(records[(start - 1)...]))
            }
        }
    }

    @Test(arguments: BackendUnderTest.allCases)
    func readsNothingAtTheEndAndBeyond(_ kind: BackendUnderTest) async throws {
        try await kind.use { backend in
            #expect(try await backend.read(from: 1, bytesMax: 1000).isEmpty)
            _ = try await backend.append([record(1)])
            #expect(try await backend.read(from: 2, bytesMax: 1000).isEmpty)
            #expect(try await backend.read(from: .max, bytesMax: 1000).isEmpty)
            #expect(try await backend.read(from: 0, bytesMax: 1000).map(\.bytes) == [record(1)])
        }
    }

    @Test(arguments: BackendUnderTest.allCases)
    func keepsAnyBytes(_ kind: BackendUnderTest) async throws {
        try await kind.use { backend in
            var random = SeededRandom(seed: 3)
            let noise = (0..<300_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let records: [[UInt8]] = [[], [0], noise, [UInt8](repeating: 7, count: 1_000_000)]
            _ = try await backend.append(records)
            #expect(try await backend.read(from: 1, bytesMax: 10_000_000).map(\.bytes) == records)
        }
    }

    @Test(arguments: BackendUnderTest.allCases)
    func refusesABatchThatIsEmptyOrTooLargeAndKeepsNothingOfIt(_ kind: BackendUnderTest) async throws {
        try await kind.use { backend in
            let tooLarge: [[[UInt8]]] = [
                [], Array(repeating: [], count: Frame.recordsMax + 1),
                [record(1), [UInt8](repeating: 0, count: Frame.recordBytesMax + 1)],
            ]
            for batch in tooLarge {
                let error = await backend.refusal(of: batch)
                #expect(error?.isTooLarge == true, "\(String(describing: error))")
            }
            #expect(await backend.durablePosition == 0)
            let first = try await backend.append([record(2)])
            #expect(first == 1)
            #expect(try await backend.read(from: 1, bytesMax: 1000).map(\.bytes) == [record(2)])
        }
    }

    @Test(arguments: BackendUnderTest.allCases)
    func keepsTheBatchesOfConcurrentAppendersWhole(_ kind: BackendUnderTest) async throws {
        try await kind.use { backend in
            let firsts = try await withThrowingTaskGroup(of: (UInt64, UInt8).self) { group in
                for number in UInt8(0)..<60 {
                    group.addTask {
                        (try await backend.append(Array(repeating: [number], count: Int(number % 5) + 1)), number)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let records = try await readAll(backend)
            for (first, number) in firsts {
                let batch = records[Int(first - 1)..<Int(first) + Int(number % 5)]
                #expect(batch.allSatisfy { $0 == [number] })
            }
            #expect(records.count == (0..<60).reduce(0) { $0 + $1 % 5 + 1 })
        }
    }

    @Test(arguments: BackendUnderTest.allCases)
    func takesNothingOnceClosedAndCanStillBeRead(_ kind: BackendUnderTest) async throws {
        try await kind.use { backend in
            _ = try await backend.append([record(1)])
            try await backend.close()
            try await backend.close()
            let error = await backend.refusal(of: [record(2)])
            #expect(error?.isStopped == true, "\(String(describing: error))")
            #expect(await backend.durablePosition == 1)
            #expect(try await backend.read(from: 1, bytesMax: 1000).map(\.bytes) == [record(1)])
        }
    }

    /// Batches of one to six records, of which some are long.
    private func fill(_ backend: any LogBackend, batches: Int) async throws -> [[UInt8]] {
        var all: [[UInt8]] = []
        for batch in 0..<batches {
            let records = (0...batch % 6).map { record(all.count + $0) }
            let first = try await backend.append(records)
            #expect(first == UInt64(all.count + 1))
            all += records
        }
        return all
    }

    private func readAll(_ backend: any LogBackend) async throws -> [[UInt8]] {
        var found: [[UInt8]] = []
        while true {
            let page = try await backend.read(from: UInt64(found.count + 1), bytesMax: 64)
            if page.isEmpty { return found }
            found += page.compactMap(\.bytes)
        }
    }

    private func record(_ number: Int) -> [UInt8] {
        Array("record \(number) ".utf8) + [UInt8](repeating: UInt8(number % 251), count: number % 17 * 40)
    }
}
