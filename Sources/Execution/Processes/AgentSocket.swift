#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The listening socket that an agent's launcher inherits.
///
/// Sluice makes it, so that the agent's side needs no directory to write to. The calls block: they belong on an
/// executor for that.
enum AgentSocket {
    private static let backlog: Int32 = 256
    private static let sendTimeoutSeconds = 10

    /// - Parameter address: a path that nothing stands at.
    static func listen(address: String) throws(AgentRefusal) -> Int32 {
        let descriptor = try socket()
        guard try withAddress(address, { bind(descriptor, $0, $1) }) == 0, Glibc.listen(descriptor, backlog) == 0
        else {
            defer { close(descriptor) }
            throw failure("made")
        }
        return descriptor
    }

    static func connect(address: String) throws(AgentRefusal) -> Int32 {
        let descriptor = try socket()
        var timeout = timeval(tv_sec: sendTimeoutSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        guard try withAddress(address, { Glibc.connect(descriptor, $0, $1) }) == 0 else {
            defer { close(descriptor) }
            throw failure("reached")
        }
        return descriptor
    }

    static func send(_ bytes: [UInt8], to descriptor: Int32) throws(AgentRefusal) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw failure("written to") }
            rest = rest.dropFirst(count)
        }
    }

    private static func socket() throws(AgentRefusal) -> Int32 {
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure("made") }
        return descriptor
    }

    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(AgentRefusal) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { throw failure("named") }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    static func failure(_ verb: String) -> AgentRefusal {
        AgentRefusal("the agent's socket cannot be \(verb): \(String(cString: strerror(errno)))")
    }
}
