#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Hands a listening socket to the launcher of a container, which inherits no descriptor: to the first that connects.
///
/// The descriptor goes with a byte as `SCM_RIGHTS` (unix(7)), which works with every engine on this machine's kernel.
actor SocketOffer {
    private let executor = BlockingExecutor(label: "sluice.socket-offer")
    private let descriptor: Int32

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// - Parameter address: a path that nothing stands at; every user of the container may connect to it.
    init(address: String) throws(AgentRefusal) {
        descriptor = try AgentSocket.listen(address: address)
        guard chmod(address, 0o666) == 0 else {
            defer { close(descriptor) }
            throw AgentSocket.failure("opened")
        }
    }

    deinit { close(descriptor) }

    /// Blocks this executor until somebody has connected and taken the socket; ends without that when the task is
    /// cancelled.
    func hand(_ listener: Int32) async throws(AgentRefusal) {
        let taken = await withTaskCancellationHandler {
            let connection = accept(descriptor, nil, nil)
            guard connection >= 0 else { return false }
            defer { close(connection) }
            return Self.send(listener, over: connection)
        } onCancel: {
            // Wakes the accept.
            shutdown(descriptor, Int32(SHUT_RDWR))
        }
        guard taken || Task.isCancelled else { throw AgentSocket.failure("handed over") }
    }

    /// The control message is a `cmsghdr` (length, level, type) and the descriptor, as the kernel's C interface has it.
    private static func send(_ passed: Int32, over connection: Int32) -> Bool {
        let header = MemoryLayout<cmsghdr>.size
        var control = [UInt8](repeating: 0, count: (header + 15) / 8 * 8)
        var byte: UInt8 = 0
        return control.withUnsafeMutableBytes { control in
            let length = header + MemoryLayout<Int32>.size
            var kind = cmsghdr()
            kind.cmsg_len = length
            kind.cmsg_level = SOL_SOCKET
            kind.cmsg_type = Int32(SCM_RIGHTS)
            withUnsafeBytes(of: kind) { control.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0.prefix(header))) }
            control.storeBytes(of: passed, toByteOffset: header, as: Int32.self)
            return withUnsafeMutablePointer(to: &byte) { byte in
                var part = iovec(iov_base: byte, iov_len: 1)
                return withUnsafeMutablePointer(to: &part) { part in
                    var message = msghdr()
                    message.msg_iov = part
                    message.msg_iovlen = 1
                    message.msg_control = control.baseAddress
                    message.msg_controllen = length
                    return sendmsg(connection, &message, Int32(MSG_NOSIGNAL)) == 1
                }
            }
        }
    }
}
