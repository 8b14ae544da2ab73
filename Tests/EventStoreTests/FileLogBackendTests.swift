import EventLog
import EventStore
import Testing

/// What the file log promises beyond the contract: it comes back, and it knows when it must stop.
@Suite struct FileLogBackendTests {
    @Test func hasEverythingAfterAPowerCut() async throws {
        let storage = MemoryLogStorage()
        let backend = FileLogBackend(try openLog(storage, segmentBytesMax: 8 * 1024))
        for number in UInt8(0)..<100 { _ = try await backend.append([[number], [number, number]]) }
        let survivor = FileLogBackend(try openLog(storage.afterCrash()))
        #expect(survivor.durablePosition == 200)
        #expect(try await survivor.read(from: 199, bytesMax: 1000).map(\.bytes) == [[99], [99, 99]])
        #expect(try await survivor.append([[1]]) == 201)
    }

    @Test func takesAppendsAgainOnceThereIsSpace() async throws {
        let storage = MemoryLogStorage()
        let backend = FileLogBackend(try openLog(storage))
        storage.setFault(.noSpaceOnWrite)
        let error = await backend.refusal(of: [[1]])
        #expect(error?.isNoSpace == true, "\(String(describing: error))")
        #expect(backend.durablePosition == 0)
        storage.setFault(nil)
        #expect(try await backend.append([[2]]) == 1)
        #expect(try await backend.read(from: 1, bytesMax: 10).map(\.bytes) == [[2]])
    }

    @Test func stopsForGoodAfterAFailedSync() async throws {
        let storage = MemoryLogStorage()
        let backend = FileLogBackend(try openLog(storage))
        _ = try await backend.append([[1]])
        storage.setFault(.failedSync)
        let first = await backend.refusal(of: [[2]])
        storage.setFault(nil)
        let second = await backend.refusal(of: [[3]])
        for error in [first, second] { #expect(error?.isStopped == true, "\(String(describing: error))") }
        #expect(backend.durablePosition == 1)
        #expect(try await backend.read(from: 1, bytesMax: 10).map(\.bytes) == [[1]])
    }
}
