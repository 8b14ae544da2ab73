#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The signals that a daemon ignores from its first instruction on; it traps some of them later.
///
/// Other commands keep the system's effects: `sluice log cat | head` ends by SIGPIPE.
enum SignalDispositions {
    private static let ignored = [
        SIGPIPE, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO,
        // A write beyond the limit fails with EFBIG instead, and says so.
        SIGXFSZ,
    ]

    static func prepare(_ arguments: [String]) {
        guard arguments.dropFirst().first == "serve" else { return }
        for number in ignored { signal(number, SIG_IGN) }
    }
}
