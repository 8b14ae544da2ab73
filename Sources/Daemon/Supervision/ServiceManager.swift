#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Tells systemd the state of the process, by datagrams to the socket in `NOTIFY_SOCKET`.
///
/// The protocol is that of sd_notify(3), "Notes"; the watchdog's that of sd_watchdog_enabled(3).
struct ServiceManager: Sendable {
    private let path: String
    /// The longest pause between two pings; `nil` without a watchdog.
    let watchdogTimeout: Duration?

    /// The service manager that started the process; `nil` without one.
    init?(variable: (String) -> String? = { getenv($0).map { String(cString: $0) } }) {
        guard let path = variable("NOTIFY_SOCKET"), path.hasPrefix("/") || path.hasPrefix("@") else { return nil }
        self.path = path
        let isOurs = variable("WATCHDOG_PID").map { $0 == "\(getpid())" } ?? true
        watchdogTimeout = variable("WATCHDOG_USEC").flatMap(Int64.init).flatMap {
            isOurs && $0 > 0 ? .microseconds($0) : nil
        }
    }

    /// Sends one message of assignments such as `READY=1`; one that cannot be sent is lost.
    func notify(_ assignments: String...) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(path.utf8)
        // A name of the abstract namespace begins with a zero byte, and has no end but its length. (unix(7))
        let isAbstract = name.first == UInt8(ascii: "@")
        if isAbstract { name[0] = 0 }
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard name.count < capacity, let offset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) else { return }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = offset + name.count + (isAbstract ? 0 : 1)
        #if canImport(Glibc)
            let (kind, flags) = (CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), CInt(MSG_DONTWAIT))
        #else
            let (kind, flags) = (SOCK_DGRAM, MSG_DONTWAIT)
        #endif
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let message = Array(assignments.joined(separator: "\n").utf8)
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = sendto(descriptor, message, message.count, flags, address, socklen_t(length))
            }
        }
    }
}
