import Domain
import HTTPAPI
import Testing

/// The last uses of keys, and their way to the disk.
@Suite struct KeyUsesTests {
    private struct DiskFullError: Error {}

    private static let start = Timestamp(microseconds: 1_790_000_000_000_000)
    private let key = APIKeyID(UUIDValue(high: 1, low: 1))
    private let uses = KeyUses()

    private func saved(fails: Bool = false) async throws -> [APIKeyID: Timestamp]? {
        var saved: [APIKeyID: Timestamp]?
        try await uses.saveChanged { times in
            if fails { throw DiskFullError() }
            saved = times
        }
        return saved
    }

    @Test func usesAreSavedOnce() async throws {
        #expect(uses.note(key, at: Self.start) && !uses.note(key, at: Self.start.adding(.seconds(59))))
        #expect(try await saved() == [key: Self.start])
        #expect(try await saved() == nil)
    }

    @Test func usesThatCouldNotBeSavedAreSavedTheNextTime() async throws {
        uses.note(key, at: Self.start)
        for _ in 0..<2 { await #expect(throws: DiskFullError.self) { try await saved(fails: true) } }
        #expect(try await saved() == [key: Self.start])
        #expect(try await saved() == nil)
    }
}
