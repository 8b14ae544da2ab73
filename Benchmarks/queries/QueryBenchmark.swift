import Domain
import EventStore
import Foundation
import Logging
import Projections
import TestSupport

/// Pages of a hundred runs of a workspace with many, for every filter, each two of them, and every order.
@main
struct QueryBenchmark {
    private static let pageSize = 100
    private static let sampleCount = 200

    static func main() async throws {
        let count = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 1_000_000
        try await withDirectory { @Sendable directory in
            var logger = Logger(label: "benchmark")
            logger.logLevel = .error
            let path = directory + "/read-model.sqlite"
            let projections = try Projections.open(path: path, isDisposable: true, logger: logger)
            let world = BenchmarkRuns(count: count)
            let start = ContinuousClock.now
            try await world.fill(projections)
            let seconds = start.duration(to: .now) / .seconds(1)
            let bytes = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
            print("\(count) runs, \(Int(Double(count * 3) / seconds)) events/s, \(bytes / 1_000_000) MB")
            try await measure(projections, world)
            try projections.close()
        }
    }

    private static func measure(_ projections: Projections, _ world: BenchmarkRuns) async throws {
        let names = RunFilter.Name.allCases
        let sets = [[]] + names.map { [$0] } + names.indices.flatMap { i in names[(i + 1)...].map { [names[i], $0] } }
        var lines: [(line: String, p99: Double)] = []
        for set in sets {
            for field in RunField.allCases {
                guard let times = try await sample(set, field, projections, world) else { continue }
                let name = (set.map(\.rawValue) + ["sort=-" + field.rawValue]).joined(separator: " ")
                let (median, p99) = (times[times.count / 2], times[times.count * 99 / 100])
                lines.append(("\(name): median \(text(median)) ms, p99 \(text(p99)) ms", p99))
            }
        }
        for (line, _) in lines.sorted(by: { $0.p99 > $1.p99 }) { print(line) }
    }

    /// The times of first pages and of pages in the middle, in milliseconds and in order; `nil` where it is refused.
    private static func sample(
        _ names: [RunFilter.Name], _ field: RunField, _ projections: Projections, _ world: BenchmarkRuns
    ) async throws -> [Double]? {
        let order = ListOrder(field, isDescending: true)
        var (random, times, place) = (SeededRandom(seed: 7), [Double](), ListPlace?.none)
        for _ in 0..<sampleCount {
            var filter = RunFilter()
            for name in names { try filter.set(name, world.value(name, &random)) }
            guard (try? filter.check(order)) != nil else { return nil }
            let start = ContinuousClock.now
            let page = try await projections.runs(
                filter, by: order, after: place, limit: pageSize, in: BenchmarkRuns.workspace)
            times.append(start.duration(to: .now) / .milliseconds(1))
            // Every second page is the one after the page before, of other values.
            place = place == nil ? page.last?.place(by: field) : nil
        }
        return times.sorted()
    }

    private static func text(_ value: Double) -> String { value.formatted(.number.precision(.fractionLength(2))) }
}
