import Synchronization

/// So many calls at the same time.
final class CallPlaces: Sendable {
    /// Taken until nobody holds it any more.
    final class Place: Sendable {
        private let places: CallPlaces

        fileprivate init(_ places: CallPlaces) { self.places = places }

        deinit { places.taken.withLock { $0 -= 1 } }
    }

    private let max: Int
    private let taken = Mutex(0)

    init(max: Int) { self.max = max }

    /// `nil` when none is left.
    func take() -> Place? {
        let isTaken = taken.withLock { taken in
            guard taken < max else { return false }
            taken += 1
            return true
        }
        return isTaken ? Place(self) : nil
    }
}
