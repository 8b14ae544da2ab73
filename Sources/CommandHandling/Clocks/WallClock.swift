package import Domain

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The time of day; a parameter, so that tests and simulations choose it.
package protocol WallClock: Sendable {
    /// The time of events, and of everything that is due at a time of theirs.
    func now() -> Timestamp
    /// The wall clock's own time, for times that other machines set or check.
    func wallTime() -> Timestamp
}

extension WallClock {
    package func wallTime() -> Timestamp { now() }
}

/// The machine's real-time clock (`CLOCK_REALTIME`).
package struct SystemWallClock: WallClock {
    package init() {}

    package func now() -> Timestamp { .of(CLOCK_REALTIME) }
}

extension Timestamp {
    /// The time of one of the machine's clocks (clock_gettime(2)).
    static func of(_ clock: clockid_t) -> Timestamp {
        var time = timespec()
        clock_gettime(clock, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }
}
