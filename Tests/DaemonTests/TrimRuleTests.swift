import Daemon
import Testing

/// The decision when free memory is given back.
@Suite struct TrimRuleTests {
    private static let mebibyte: UInt64 = 1 << 20

    /// Resident memory and what of it is allocated, in MiB.
    private func usage(_ resident: UInt64, used: UInt64) -> HeapUsage {
        HeapUsage(residentBytes: resident * Self.mebibyte, usedBytes: used * Self.mebibyte)
    }

    /// True for each of the figures that makes a trim due, asked one after the other.
    private func due(_ figures: [(resident: UInt64, used: UInt64)], _ rule: inout TrimRule) -> [Bool] {
        figures.map { rule.isDue(usage($0.resident, used: $0.used)) }
    }

    @Test(arguments: [(47, 40, false), (48, 40, true), (200, 20, true), (40, 60, false)] as [(UInt64, UInt64, Bool)])
    func theFirstTrimIsDueWhenEnoughIsUnused(resident: UInt64, used: UInt64, isDue: Bool) {
        var rule = TrimRule()
        let first = due([(resident, used)], &rule)
        #expect(first == [isDue])
    }

    @Test func memoryThatATrimLeavesIsNoReasonForAnother() {
        var rule = TrimRule()
        let before = due([(100, 40)], &rule)
        rule.noteTrim(usage(70, used: 40))
        // Growth of what is allocated is no reason either.
        let after = due([(70, 40), (170, 140)], &rule)
        #expect(before == [true] && after == [false, false])
    }

    @Test func memoryThatIsFreedAfterATrimIsAReason() {
        var rule = TrimRule()
        rule.noteTrim(usage(70, used: 40))
        let after = due([(70, 33), (70, 32)], &rule)
        #expect(after == [false, true])
    }

    @Test func theFewestUnusedBytesSinceATrimCount() {
        var rule = TrimRule()
        rule.noteTrim(usage(70, used: 40))
        let after = due([(60, 50), (67, 50), (68, 50)], &rule)
        #expect(after == [false, false, true])
    }

    #if canImport(Glibc)
        @Test func theHeapIsMeasuredAndTrimmed() throws {
            let before = try #require(Heap.usage)
            #expect(before.usedBytes > 0 && before.residentBytes > 0)
            var blocks = (0..<4096).map { _ in [UInt8](repeating: 1, count: 4096) }
            let taken = try #require(Heap.usage)
            #expect(taken.usedBytes >= before.usedBytes + 4096 * 4096 / 2)
            blocks.removeAll()
            Heap.trim()
            #expect(try #require(Heap.usage).residentBytes > 0)
        }
    #endif
}
