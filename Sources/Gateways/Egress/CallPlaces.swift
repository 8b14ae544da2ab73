import Synchronization

/// So many calls at the same time.
final class CallPlaces: Sendable {
    struct Place: Sendable {}

    private let max: Int
    private let taken = Mutex(0)

    init(max: Int) { self.max = max }

    /// `nil` when none is left.
    func take() -> Place? {
        taken.withLock { taken in
            guard taken < max else { return nil }
            taken += 1
            return Place()
        }
    }

    func giveBack(_: Place) { taken.withLock { $0 -= 1 } }
}
