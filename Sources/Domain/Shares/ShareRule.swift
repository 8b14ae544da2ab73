/// A bound on one shared resource, and the part of it that one holder may have.
///
/// A holder may take more while its holding is at most `share / (100 - share)` times what stays free. One holder alone
/// stops at its share of the whole, and each further one at its share of what the earlier ones left.
package struct ShareRule: Hashable, Sendable {
    /// The share of a holder when the operator sets none, in percent.
    package static let percentDefault = 50

    /// The bound for all holders together.
    package let total: Int
    /// The most that one holder may have of it, 1 to 100 percent; 100 leaves nothing for others.
    package let percent: Int

    package init(total: Int, percent: Int = percentDefault) {
        self.total = total
        self.percent = percent
    }

    /// The rule for those who divide the share of one holder among them.
    ///
    /// - Parameter taken: the amount that other holders have.
    package func part(leaving taken: Int) -> ShareRule {
        let free = max(0, total - taken)
        return ShareRule(total: free / 100 * percent + free % 100 * percent / 100, percent: percent)
    }

    /// Decides about taking an amount; `nil` when it may be taken.
    ///
    /// A holder that has nothing gets what is free, so that a small bound still serves one call at a time.
    ///
    /// - Parameters:
    ///   - held: the amount that the holder has already.
    ///   - taken: the amount that all holders have.
    package func refusal(of amount: Int, held: Int, taken: Int) -> ShareRefusal? {
        guard amount <= total - taken else { return .exhausted }
        guard held > 0, percent < 100 else { return nil }
        let free = total - taken - amount
        let (holding, overflow) = (held + amount).multipliedReportingOverflow(by: 100 - percent)
        return overflow || holding > free.multipliedReportingOverflow(by: percent).partialValue ? .shareExceeded : nil
    }
}

/// The reason why an amount of a shared resource was refused.
package enum ShareRefusal: Error, Hashable, Sendable {
    /// Nothing is left for any holder.
    case exhausted
    /// The rest is kept for other holders.
    case shareExceeded
}
