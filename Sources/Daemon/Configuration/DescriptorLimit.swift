#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The number of file descriptors that the operating system allows the process.
package enum DescriptorLimit {
    /// Enough for every setting at its largest value; a limit of "unlimited" counts as this.
    private static let countMax = 8_388_608

    /// Raises the soft limit to the hard one.
    ///
    /// - Returns: the limit in force.
    package static func raised() -> Int {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return countMax }
        if limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = limit.rlim_max
            // macOS refuses values above `kern.maxfilesperproc`; the soft limit then stays.
            if setrlimit(resource, &raised) == 0 { limit = raised }
        }
        return Int(min(limit.rlim_cur, rlim_t(countMax)))
    }

    #if canImport(Glibc)
        private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
        private static let resource = RLIMIT_NOFILE
    #endif
}
