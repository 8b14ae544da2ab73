import Domain
import Projections
import Testing

/// Bases are as far from each other as they are old, and take no more than they may.
@Suite struct BaseRuleTests {
    private static let day = Duration.seconds(24 * 3600)

    /// A log that grows by one event a second, and bases that are made and merged as it does.
    @Test(arguments: [1 << 40, 200_000_000])
    func theDistanceIsBoundedByAgeAndTheSizeByTheBound(_ bytesMax: Int) async throws {
        let rule = BaseRule(interval: 1_000, recent: Self.day, bytesMax: bytesMax)
        var spans: [BaseRule.Span] = []
        for newest in stride(from: UInt64(1_000), through: 2_000_000, by: 1_000) {
            let top = spans.last?.to ?? .zero
            guard let step = try await rule.step(from: top, newest: Position(newest), isRecent: { _ in true })
            else { continue }
            spans.append(Self.span(top.value, top.value + step))
            Self.thin(&spans, rule, Position(newest))
        }
        let newest: UInt64 = 2_000_000
        #expect(spans.first?.from == .zero && zip(spans, spans.dropFirst()).allSatisfy { $0.to == $1.from })
        #expect(spans.reduce(0) { $0 + $1.sizeBytes } <= bytesMax)
        guard bytesMax > 1 << 30 else { return }
        for span in spans {
            let (distance, age) = (span.to.value - span.from.value, newest - span.to.value)
            #expect(distance <= max(1_000, age / 16), "\(span)")
            #expect(age > 86_400 || distance == 1_000, "the last day has them all: \(span)")
        }
        #expect(spans.count < 300)
    }

    /// Each base holds a file descriptor.
    @Test func atMostTheAllowedNumberOfBasesStays() {
        let rule = BaseRule(interval: 1_000, recent: Self.day, bytesMax: .max, countMax: 16)
        var spans: [BaseRule.Span] = []
        for top in stride(from: UInt64(0), to: 80_000, by: 1_000) {
            spans.append(Self.span(top, top + 1_000))
            Self.thin(&spans, rule, Position(top + 1_000))
            #expect(spans.count <= 16)
        }
        #expect(spans.first?.from == .zero && zip(spans, spans.dropFirst()).allSatisfy { $0.to == $1.from })
        #expect(spans.last.map { $0.to.value - $0.from.value } == 1_000, "the newest ones are the densest")
    }

    @Test func noBaseIsMadeWhereNoneIsAllowed() async throws {
        let rule = BaseRule(interval: 1_000, recent: Self.day, bytesMax: .max, countMax: 0)
        let step = try await rule.step(from: .zero, newest: Position(80_000)) { _ in true }
        #expect(step == nil)
    }

    @Test func aLongPastIsFoldedInLongerSteps() async throws {
        let rule = BaseRule(interval: 1_000, recent: Self.day, bytesMax: .max)
        let (newest, old) = (Position(10_000_000), Position(9_000_000))
        let far = try await rule.step(from: .zero, newest: newest) { $0 > old }
        #expect(far == 8_000)
        let near = try await rule.step(from: Position(8_999_000), newest: newest) { $0 > old }
        #expect(near == 1_000)
        let none = try await rule.step(from: Position(9_999_001), newest: newest) { $0 > old }
        #expect(none == nil)
    }

    private static func thin(_ spans: inout [BaseRule.Span], _ rule: BaseRule, _ newest: Position) {
        while let index = rule.superfluous(spans, newest: newest, now: time(newest.value)) {
            let (first, second) = (spans[index], spans[index + 1])
            spans[index...index + 1] = [span(first.from.value, second.to.value)]
        }
    }

    /// Some pages are new, and some others change again and again.
    private static func span(_ from: UInt64, _ to: UInt64) -> BaseRule.Span {
        let pages = Int(to - from) / 50 + 40
        return BaseRule.Span(from: Position(from), to: Position(to), time: time(to), sizeBytes: pages * 4096)
    }

    private static func time(_ position: UInt64) -> Timestamp {
        Timestamp(microseconds: 1_790_000_000_000_000 + Int64(position) * 1_000_000)
    }
}
