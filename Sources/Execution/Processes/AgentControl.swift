#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Sluice's own connection to an agent's launcher: it carries the order to start, and its end is the order to stop.
actor AgentControl {
    private let executor = BlockingExecutor(label: "sluice.agent-control")
    private var descriptor: Int32 = -1

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Makes the socket that the launcher inherits, and is the first to connect to it.
    ///
    /// - Returns: the listening descriptor, which is the caller's to close.
    func listen(address: String) throws(AgentRefusal) -> Int32 {
        let listener = try AgentSocket.listen(address: address)
        do {
            descriptor = try AgentSocket.connect(address: address)
        } catch {
            close(listener)
            throw error
        }
        return listener
    }

    /// Blocks this executor until the launcher has taken the order, or the time for that is over.
    func send(_ order: [UInt8]) throws(AgentRefusal) { try AgentSocket.send(order, to: descriptor) }

    /// The time that the launcher gives the agent.
    enum Grace { case ordered, once }

    /// Has the launcher end the agent, after the time of its order or after a second.
    func end(at grace: Grace = .ordered) {
        if grace == .once, descriptor >= 0 {
            // A launcher that does not read it is killed a little later.
            try? AgentSocket.send([UInt8(ascii: "!")], to: descriptor)
        }
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }
}
