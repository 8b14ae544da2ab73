import Synchronization

/// How many event streams may be open at once.
final class StreamPlaces: Sendable {
    /// A taken place, free again when nobody holds it: also when the response it is for is dropped unwritten, as the
    /// answer to a HEAD is.
    final class Place: Sendable {
        private let places: StreamPlaces

        /// `nil` when all places are taken.
        init?(in places: StreamPlaces) {
            let isFree = places.taken.withLock { taken in
                guard taken < places.max else { return false }
                taken += 1
                return true
            }
            guard isFree else { return nil }
            self.places = places
        }

        deinit { places.taken.withLock { $0 -= 1 } }
    }

    private let max: Int
    private let taken = Mutex(0)

    init(max: Int) { self.max = max }
}
