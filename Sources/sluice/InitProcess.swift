#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The first process of a container that has no other init: it starts the daemon as its child, passes signals on, and
/// reaps what the kernel hands to it.
///
/// Sandboxes leave processes whose parents have ended; they become children of process 1, and stay zombies until it waits
/// for them. The daemon cannot do that for every process without taking the exit status of one that its own code waits for.
enum InitProcess {
    private static let forwarded = [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2]

    /// True when this process is the first of its namespace and is to run the daemon, which starts others.
    static func isNeeded(_ arguments: [String]) -> Bool { getpid() == 1 && arguments.dropFirst().first == "serve" }

    /// Runs until the daemon ends, and exits with its status. It must be called before any thread is started.
    static func run() -> Never {
        var signals = sigset_t()
        sigfillset(&signals)
        // A signal that a thread waits for is taken by `sigwait` alone.
        pthread_sigmask(SIG_SETMASK, &signals, nil)
        let daemon = startDaemon()
        while true {
            var number: CInt = 0
            guard sigwait(&signals, &number) == 0 else { continue }
            if number == SIGCHLD {
                reap(daemon)
            } else if forwarded.contains(number) {
                kill(daemon, number)
            }
        }
    }

    /// Starts this program again, with no signal blocked, in a process group of its own: a terminal's signals reach it once.
    private static func startDaemon() -> pid_t {
        var attributes = posix_spawnattr_t()
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_init(&attributes)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))
        var process: pid_t = 0
        // The link's target, so that the child has the program's name.
        let target = realpath("/proc/self/exe", nil)
        let program = target.map { String(cString: $0) } ?? "/proc/self/exe"
        free(target)
        let failure = posix_spawn(&process, program, nil, &attributes, CommandLine.unsafeArgv, environ)
        guard failure == 0 else {
            tell("sluice: the daemon cannot be started: \(String(cString: strerror(failure)))")
            exit(71)
        }
        return process
    }

    /// Waits for every process that has ended; one signal may stand for several.
    private static func reap(_ daemon: pid_t) {
        var status: CInt = 0
        while true {
            let process = waitpid(-1, &status, WNOHANG)
            guard process > 0 else { return }
            if process == daemon { exit(exitCode(status)) }
        }
    }

    /// The status as a shell tells it: 128 and the signal's number for a process that a signal ended.
    private static func exitCode(_ status: CInt) -> CInt {
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal
    }
}
