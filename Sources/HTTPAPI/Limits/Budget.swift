import Synchronization

/// So much of something for all requests together: places for streams, bytes of bodies that are being read.
final class Budget: Sendable {
    /// One that is taken, free again when nobody holds it: also when the response that it is for is dropped unwritten,
    /// as the answer to a HEAD is.
    final class Place: Sendable {
        private let budget: Budget

        /// `nil` when none is left.
        init?(in budget: Budget) {
            guard budget.take(1) else { return nil }
            self.budget = budget
        }

        deinit { budget.giveBack(1) }
    }

    private let max: Int
    private let taken = Mutex(0)

    init(max: Int) { self.max = max }

    /// Takes that much; `false`, and nothing is taken, when it is not left.
    func take(_ amount: Int) -> Bool {
        taken.withLock { taken in
            guard taken + amount <= max else { return false }
            taken += amount
            return true
        }
    }

    func giveBack(_ amount: Int) { taken.withLock { $0 -= amount } }
}
