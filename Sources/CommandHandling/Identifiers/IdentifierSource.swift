package import Domain
import Synchronization

/// Makes UUIDv7 ids (RFC 9562, section 5.7, with method 3: the microsecond within the millisecond in `rand_a`).
///
/// Ids of one source sort by the time they were made, to the microsecond.
package final class IdentifierSource: Sendable {
    private let clock: any WallClock
    private let generator: Mutex<any RandomNumberGenerator & Sendable>

    package init(
        clock: any WallClock, generator: any RandomNumberGenerator & Sendable = BufferedRandomNumberGenerator()
    ) {
        self.clock = clock
        self.generator = Mutex(generator)
    }

    package func next() -> UUIDValue {
        let time = UInt64(clamping: clock.now().microseconds)
        let random = generator.withLock { $0.next() }
        let milliseconds = time / 1000 & 0xffff_ffff_ffff
        let fraction = time % 1000 * 4096 / 1000
        // Four of the 62 random bits stay zero, so that the ids of a command's events can count up from its own.
        return UUIDValue(high: milliseconds << 16 | 0x7000 | fraction, low: 0x8000_0000_0000_0000 | random >> 6)
    }
}
