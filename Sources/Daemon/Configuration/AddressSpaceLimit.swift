#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The address space that the operating system allows the process (`ulimit -v`, `RLIMIT_AS`).
///
/// A process that runs out of it cannot start threads: it hangs or ends in the middle of a start, with no message of its own.
package enum AddressSpaceLimit {
    /// Heaps and stacks of the threads of a busy daemon. They are reserved, and mostly not resident.
    static let bytesMin: UInt64 = 2 << 30

    /// Refuses a limit that is too low before anything is opened.
    package static func check() throws(DaemonError) {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < rlim_t(bytesMin) else { return }
        throw DaemonError(
            .configuration,
            "the address space is limited to \(limit.rlim_cur >> 20) MiB, and \(bytesMin >> 20) are needed: raise `ulimit -v` "
                + "(systemd: LimitAS=); to limit memory use a control group (systemd: MemoryMax=)")
    }

    #if canImport(Glibc)
        private static let resource = __rlimit_resource_t(RLIMIT_AS.rawValue)
    #else
        private static let resource = RLIMIT_AS
    #endif
}
