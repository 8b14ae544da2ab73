package import Metrics
import Synchronization

/// Collects swift-metrics and shows them in Prometheus' text format (version 0.0.4).
package final class PrometheusRegistry: MetricsFactory {
    /// Series beyond this are dropped, so that labels cannot grow memory.
    private static let seriesMax = 4096

    private struct Series: Hashable {
        let label: String
        let labels: String
    }

    fileprivate final class Value: Sendable {
        private let state = Mutex((count: Int64(0), sum: 0.0))

        func add(_ amount: Double) { state.withLock { $0 = ($0.count + 1, $0.sum + amount) } }
        func set(_ amount: Double) { state.withLock { $0 = (1, amount) } }
        func reset() { state.withLock { $0 = (0, 0) } }
        var snapshot: (count: Int64, sum: Double) { state.withLock { $0 } }
    }

    private enum Kind: String { case counter, gauge, summary }

    private let series = Mutex<[Series: (Kind, Value)]>([:])

    package init() {}

    /// All series, by name.
    package func text() -> String {
        let all = series.withLock { $0 }.sorted { ($0.key.label, $0.key.labels) < ($1.key.label, $1.key.labels) }
        var lines: [String] = []
        var previous = ""
        for (key, (kind, value)) in all {
            if key.label != previous { lines.append("# TYPE \(key.label) \(kind.rawValue)") }
            previous = key.label
            let (count, sum) = value.snapshot
            if kind == .summary {
                lines.append("\(key.label)_sum\(key.labels) \(sum)")
                lines.append("\(key.label)_count\(key.labels) \(count)")
            } else {
                lines.append("\(key.label)\(key.labels) \(sum)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func value(_ kind: Kind, _ label: String, _ dimensions: [(String, String)]) -> Value {
        let pairs = dimensions.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
        let key = Series(label: label, labels: pairs.isEmpty ? "" : "{\(pairs)}")
        return series.withLock { series in
            if let (_, value) = series[key] { return value }
            let value = Value()
            if series.count < Self.seriesMax { series[key] = (kind, value) }
            return value
        }
    }

    private static func escaped(_ text: String) -> String {
        text.map { $0 == "\\" ? "\\\\" : $0 == "\"" ? "\\\"" : $0 == "\n" ? "\\n" : String($0) }.joined()
    }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        Handler(value(.counter, label, dimensions))
    }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        aggregate
            ? Handler(value(.summary, label, dimensions)) : GaugeHandler(value(.gauge, label, dimensions))
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        Handler(value(.summary, label, dimensions))
    }

    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    /// A series that shows the last of its values.
    private final class GaugeHandler: RecorderHandler {
        private let value: Value

        init(_ value: Value) { self.value = value }

        func record(_ amount: Int64) { value.set(Double(amount)) }
        func record(_ amount: Double) { value.set(amount) }
    }

    /// A series that adds its values up: a counter, a summary or a timer.
    private final class Handler: CounterHandler, RecorderHandler, TimerHandler {
        private let value: Value

        init(_ value: Value) { self.value = value }

        func increment(by amount: Int64) { value.add(Double(amount)) }
        func reset() { value.reset() }
        func record(_ amount: Int64) { value.add(Double(amount)) }
        func record(_ amount: Double) { value.add(amount) }
        func recordNanoseconds(_ duration: Int64) { value.add(Double(duration) / 1e9) }
    }
}
