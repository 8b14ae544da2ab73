import Domain
import EventStreaming
import HTTPTypes
import Synchronization

/// The phase that a start is in, and how far it has come.
package final class StartProgress: Sendable {
    /// A part of the start, in order.
    package enum Phase: String, Sendable, CaseIterable {
        case locking = "locking the directory"
        case recoveringLog = "recovering the log"
        case openingKeys = "opening the keys"
        case foldingLog = "folding the log"
        case openingReadModels = "opening the read models"
        case catchingUp = "bringing the read models up to date"
        case ready
    }

    /// A part of a phase, in bytes or positions; 0 of 1 while there is nothing to count.
    package struct Measure: Hashable, Sendable {
        package var done: UInt64
        package var total: UInt64

        package init(done: UInt64 = 0, total: UInt64 = 1) {
            self.done = done
            self.total = total
        }
    }

    private struct State {
        var phase = Phase.locking
        var measure: @Sendable () -> Measure = { Measure() }
        var isInterrupted = false
        var hasFailed = false
    }

    private let state = Mutex(State())

    package init() {}

    /// The current phase and its measure.
    package var current: (phase: Phase, measure: Measure) {
        let (phase, measure) = state.withLock { ($0.phase, $0.measure) }
        return (phase, measure())
    }

    /// True once requests are served.
    package var isReady: Bool { state.withLock { $0.phase == .ready } }

    /// True once a stop came before the start had ended.
    package var isInterrupted: Bool { state.withLock { $0.isInterrupted } }

    /// Begins a phase.
    ///
    /// - Parameter measure: reads how far the phase has come, at any time.
    package func begin(_ phase: Phase, measure: @escaping @Sendable () -> Measure = { Measure() }) {
        state.withLock { state in
            state.phase = phase
            state.measure = measure
        }
    }

    /// Ends the start; `false` when it was interrupted before, and nothing is to be served any more.
    func becomeReady() -> Bool {
        state.withLock { state in
            guard !state.isInterrupted else { return false }
            state.phase = .ready
            return true
        }
    }

    /// Ends the start by an error: the stop that follows interrupts nothing.
    package func fail() { state.withLock { $0.hasFailed = true } }

    /// Interrupts the start; `false` when it has ended already.
    package func interrupt() -> Bool {
        state.withLock { state in
            guard state.phase != .ready, !state.hasFailed else { return false }
            state.isInterrupted = true
            return true
        }
    }

    /// The answer of `/readyz` until the start has ended.
    var readiness: APIAnswer {
        let (phase, measure) = current
        return APIAnswer(
            .serviceUnavailable,
            .object { json in
                json.add("status", "starting")
                json.add("phase", phase.rawValue)
                var progress = JSONObject()
                progress.add("done", measure.done)
                progress.add("of", measure.total)
                json.add("progress", progress)
                json.add("error", refusal.message)
            })
    }

    /// The refusal of every request that needs the log.
    var refusal: APIError {
        APIError(
            .serviceUnavailable, .starting,
            "Sluice is starting (\(current.phase.rawValue)); ask /readyz, and send the request again once it is ready")
    }
}
