import Domain
import Synchronization

/// The part of limits and budgets that a call in flight may use up. Given back when the call ends, however it ends.
final class CallReservation: Sendable {
    private let ledger: SpendLedger
    private let id: UInt64
    private let isSettled = Mutex(false)

    init(_ ledger: SpendLedger, id: UInt64) {
        self.ledger = ledger
        self.id = id
    }

    /// Counts the recorded call in the place of what it might have used.
    func settle(_ used: CallAmounts, at now: Timestamp) {
        let isFirst = isSettled.withLock { settled in
            defer { settled = true }
            return !settled
        }
        if isFirst { ledger.settle(id, used, at: now) }
    }

    /// A call that was not recorded was not sent.
    deinit { if !isSettled.withLock({ $0 }) { ledger.release(id) } }
}
