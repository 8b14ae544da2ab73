import NIOCore
import NIOPosix
import Outbound
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The only way out of a build: a proxy on a Unix socket that connects to the package indexes and to nothing else.
///
/// It opens no TLS, so it sees hosts and no more of what is fetched.
struct PackageProxy: Sendable {
    private typealias Connection = OutboundClient.Tunnel

    private static let refusalsMax = 20
    private static let connectionsMax = 64

    /// The hosts that may be reached.
    let hosts: Set<PackageHost>
    let upstream: UpstreamProxy?
    private let client: OutboundClient
    private let state = Shared()

    private final class Shared: Sendable {
        let refused = Mutex<Set<PackageHost>>([])
        /// Hosts that could not be reached, with the reasons.
        let failures = Mutex<Set<String>>([])
        let connections = Mutex(0)
    }

    init(hosts: Set<PackageHost>, upstream: UpstreamProxy?, client: OutboundClient) {
        self.client = client
        self.hosts = hosts
        self.upstream = upstream
    }

    /// The hosts that were asked for and refused: the first of them.
    private var refused: [PackageHost] { state.refused.withLock { $0 }.sorted { $0.description < $1.description } }

    /// The log of a build, with the hosts that were refused or could not be reached at its end.
    func noting(refusalsIn log: BuildCommand.Log) -> BuildCommand.Log {
        var notes = ""
        let names = refused.map(\.description).joined(separator: ", ")
        if !names.isEmpty {
            notes += "sluice: connections refused to \(names): no package index; see the setting build-hosts\n"
        }
        let failures = state.failures.withLock { $0 }.sorted().joined(separator: ", ")
        if !failures.isEmpty { notes += "sluice: connections failed to \(failures)\n" }
        return BuildCommand.Log(isSuccess: log.isSuccess, bytes: log.bytes + Array(notes.utf8))
    }

    /// Serves connections to the socket while `body` runs.
    ///
    /// - Parameter address: a path that nothing stands at; the socket is removed in the end.
    func serve<Result: Sendable>(
        at address: String, _ body: @escaping @Sendable () async -> Result
    ) async throws -> Result {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .bind(unixDomainSocketPath: address) { channel in
                channel.eventLoop.makeCompletedFuture { try Self.connection(channel) }
            }
        defer { unlink(address) }
        // The sandbox's user is another one; the directory is closed to all others.
        chmod(address, 0o666)
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask { await body() }
            group.addTask {
                try await accept(server)
                return nil
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw AgentRefusal("the package proxy has ended")
        }
    }

    private static func connection(_ channel: any Channel) throws -> Connection {
        try NIOAsyncChannel(
            wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
    }

    private func accept(_ server: NIOAsyncChannel<Connection, Never>) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            try await server.executeThenClose { clients in
                for try await client in clients {
                    group.addTask { await attend(client) }
                }
            }
        }
    }

    private func attend(_ client: Connection) async {
        let isAdmitted = state.connections.withLock { count in
            count += 1
            return count <= Self.connectionsMax
        }
        defer { state.connections.withLock { $0 -= 1 } }
        do {
            try await client.executeThenClose { input, output in
                guard isAdmitted else { return try await Self.answer(503, "too many connections", output) }
                var chunks = input.makeAsyncIterator()
                var received: [UInt8] = []
                var length: Int?
                while length == nil {
                    guard received.count <= ProxyRequest.headBytesMax, let chunk = try await chunks.next() else {
                        return
                    }
                    received += chunk.readableBytesView
                    length = ProxyRequest.headLength(in: received)
                }
                guard let length else { return }
                let request: ProxyRequest
                do throws(ProxyRequest.Refusal) {
                    request = try ProxyRequest(head: received.prefix(length))
                } catch {
                    return try await Self.answer(error == .method ? 405 : 400, "not a request for a package", output)
                }
                guard isAllowed(request.host) else {
                    return try await Self.answer(
                        403, "\(request.host) is no package index of this Sluice; see build-hosts", output)
                }
                guard let server = try? await connect(request.host) else {
                    return try await Self.answer(502, "\(request.host) cannot be reached", output)
                }
                try await carry(request, Array(received.dropFirst(length)), &chunks, output, client, server)
            }
        } catch {
            // A connection that breaks is one that both sides see broken.
        }
    }

    private func isAllowed(_ host: PackageHost) -> Bool {
        if hosts.contains(host) { return true }
        state.refused.withLock { if $0.count < Self.refusalsMax { $0.insert(host) } }
        return false
    }

    private func connect(_ host: PackageHost) async throws -> Connection {
        let next = upstream.flatMap { $0.carries(host) ? $0.host : nil } ?? host
        do throws(OutboundError) {
            return try await client.openTunnel(to: next.name, port: next.port)
        } catch {
            state.failures.withLock { failures in
                if failures.count < Self.refusalsMax { failures.insert("\(next) (\(error))") }
            }
            throw error
        }
    }

    private func carry(
        _ request: ProxyRequest, _ rest: [UInt8],
        _ chunks: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
        _ output: NIOAsyncChannelOutboundWriter<ByteBuffer>, _ client: Connection, _ server: Connection
    ) async throws {
        try await server.executeThenClose { serverInput, serverOutput in
            if let upstream, upstream.carries(request.host) {
                try await serverOutput.write(ByteBuffer(bytes: request.head(through: upstream.authorization)))
            } else if request.isTunnel {
                try await output.write(ByteBuffer(string: "HTTP/1.1 200 Connection established\r\n\r\n"))
            } else {
                try await serverOutput.write(ByteBuffer(bytes: request.forwardedHead))
            }
            let isThroughUpstream = request.isTunnel && upstream?.carries(request.host) == true
            let (replies, reply) = AsyncStream.makeStream(of: Bool.self)
            try await withThrowingTaskGroup { group in
                group.addTask {
                    defer { reply.finish() }
                    var head = isThroughUpstream ? UpstreamReply() : nil
                    for try await chunk in serverInput {
                        try await output.write(chunk)
                        guard let isTunnel = head?.isTunnel(after: chunk.readableBytesView) else { continue }
                        reply.yield(isTunnel)
                        head = nil
                        // A proxy that refused would take what follows for requests of their own, to any host.
                        if !isTunnel { break }
                    }
                    output.finish()
                    // A client that does not close after that is closed.
                    try? await client.channel.close(mode: .input)
                }
                var isOpen = true
                if isThroughUpstream { isOpen = await replies.first { _ in true } ?? false }
                if request.isTunnel, isOpen {
                    if !rest.isEmpty { try await serverOutput.write(ByteBuffer(bytes: rest)) }
                    while let chunk = try await chunks.next() { try await serverOutput.write(chunk) }
                    serverOutput.finish()
                } else {
                    // One request a connection, without a body: the host hears nothing else of the client.
                    while try await chunks.next() != nil {}
                }
                try await group.waitForAll()
            }
        }
    }

    private static func answer(
        _ status: Int, _ text: String, _ output: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws {
        let head = "HTTP/1.1 \(status) Refused\r\nContent-Type: text/plain\r\nConnection: close\r\n"
        let body = text + "\n"
        try await output.write(
            ByteBuffer(string: head + "Content-Length: \(body.utf8.count)\r\n\r\n" + body))
        output.finish()
    }
}
