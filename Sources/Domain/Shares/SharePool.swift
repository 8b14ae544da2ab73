import Synchronization

/// A bounded resource that many holders use at the same time, each up to its share.
///
/// A refused holder is never queued: the caller answers 429, and the client retries.
package final class SharePool<Holder: Hashable & Sendable>: Sendable {
    /// An amount that a holder has until the permit is released, which is when nothing refers to it any more: also when
    /// the response that it is for is dropped unwritten.
    package final class Permit: Sendable {
        private let pool: SharePool
        private let holder: Holder
        private let amount: Mutex<Int>

        fileprivate init(_ pool: SharePool, _ holder: Holder, _ amount: Int) {
            self.pool = pool
            self.holder = holder
            self.amount = Mutex(amount)
        }

        deinit { pool.release(amount.withLock { $0 }, of: holder) }

        /// Takes more for the same holder.
        package func grow(by amount: Int) throws(ShareRefusal) {
            try pool.reserve(amount, for: holder)
            self.amount.withLock { $0 += amount }
        }
    }

    private let rule: ShareRule
    private let book = Mutex(ShareBook<Holder>())

    package init(_ rule: ShareRule) { self.rule = rule }

    /// The amount that all holders have.
    package var taken: Int { book.withLock { $0.taken } }

    /// Takes an amount for a holder.
    package func take(_ amount: Int = 1, for holder: Holder) throws(ShareRefusal) -> Permit {
        try reserve(amount, for: holder)
        return Permit(self, holder, amount)
    }

    private func reserve(_ amount: Int, for holder: Holder) throws(ShareRefusal) {
        let refusal = book.withLock { book in
            let refusal = book.refusal(of: amount, for: holder, rule)
            if refusal == nil { book.take(amount, for: holder) }
            return refusal
        }
        if let refusal { throw refusal }
    }

    private func release(_ amount: Int, of holder: Holder) { book.withLock { $0.release(amount, of: holder) } }
}
