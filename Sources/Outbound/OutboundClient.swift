import AsyncHTTPClient
package import Governance
import NIOCore
import NIOHTTP1

/// The only way out of the daemon: HTTP/1.1 requests, without redirects, decompression or repetition.
///
/// Every connection is held against the address rule once it is made, every request line against the request before a
/// byte of it is sent, and every response against the protocol before the client library sees it.
package struct OutboundClient: Sendable {
    /// Connections at the same time to one host: the gateways have limits of their own.
    private static let connectionsPerHostMax = 4096
    private static let connectTimeout = TimeAmount.seconds(10)

    let rule: AddressRule
    private let requests = ExpectedRequests()
    private let pools: [ConnectionRules.Reach: HTTPClient]
    private let unrestricted: HTTPClient

    package init(rule: AddressRule = AddressRule()) {
        self.rule = rule
        var pools: [ConnectionRules.Reach: HTTPClient] = [:]
        for reach in [ConnectionRules.Reach.internet, .ownNetwork, .address, .localhost] {
            pools[reach] = Self.pool(ConnectionRules(rule: rule, reach: reach, requests: requests))
        }
        self.pools = pools
        unrestricted = Self.pool(ConnectionRules(rule: rule, reach: nil, requests: requests))
    }

    /// Runs the body with a client that is shut down at its end.
    package static func with<Value: Sendable>(
        _ body: (OutboundClient) async throws -> Value
    ) async throws -> Value {
        let client = OutboundClient()
        do {
            let value = try await body(client)
            try await client.shutdown()
            return value
        } catch {
            try await client.shutdown()
            throw error
        }
    }

    package func shutdown() async throws {
        for pool in pools.values { try await pool.shutdown() }
        try await unrestricted.shutdown()
    }

    /// Sends the request and returns the response's head; the body follows as it is read.
    package func execute(_ request: OutboundRequest) async throws(OutboundError) -> OutboundResponse {
        let pool = try pool(for: request)
        let number = requests.add(ExpectedRequest(request))
        var outgoing = HTTPClientRequest(url: request.url.origin + "/")
        outgoing.method = HTTPMethod(rawValue: request.method)
        outgoing.headers = HTTPHeaders(request.headers.map { ($0.name, $0.value) })
        outgoing.headers.replaceOrAdd(name: ExpectedRequest.headerName, value: String(number))
        if let body = request.body { outgoing.body = .bytes(ByteBuffer(bytes: body)) }
        do {
            return OutboundResponse(
                try await pool.execute(outgoing, timeout: TimeAmount(request.limits.headTimeout)))
        } catch {
            // One that has its response was taken when it was sent.
            _ = requests.take(number)
            throw named(OutboundError(error), request)
        }
    }

    private func pool(for request: OutboundRequest) throws(OutboundError) -> HTTPClient {
        guard request.url.host != nil || request.addresses == .unrestricted else {
            throw .invalidRequest("the URL must begin with http:// or https://")
        }
        guard let host = addressedHost(request) else { return unrestricted }
        // Known before a packet is sent; the address of a name is known when its connection is made.
        if let address = host.address, let refusal = rule.refusal(of: address, for: host) {
            throw .addressRefused(refusal)
        }
        let reach: ConnectionRules.Reach =
            switch host.naming {
            case .address, .configured: .address
            case .localhost: .localhost
            case .name(let isInternal): isInternal ? .ownNetwork : .internet
            }
        guard let pool = pools[reach] else { preconditionFailure("every reach has its pool") }
        return pool
    }

    /// The host that the address rule is asked about; `nil` when it is not asked.
    private func addressedHost(_ request: OutboundRequest) -> AddressedHost? {
        guard request.addresses != .unrestricted, let host = request.url.host else { return nil }
        return AddressedHost(host, isInternal: request.addresses == .ownNetwork)
    }

    /// A pool of connections knows no host's name.
    private func named(_ error: OutboundError, _ request: OutboundRequest) -> OutboundError {
        guard case .addressRefused(let refusal) = error, let host = addressedHost(request) else { return error }
        return .addressRefused(AddressRefusal(address: refusal.address, host: host))
    }

    private static func pool(_ rules: ConnectionRules) -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.httpVersion = .http1Only
        configuration.redirectConfiguration = .disallow
        configuration.decompression = .disabled
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connectionsPerHostMax
        configuration.timeout.connect = connectTimeout
        // A span reads the URL a second time and writes it into attributes, also where nothing records spans.
        configuration.tracing.tracer = nil
        configuration.http1_1ConnectionDebugInitializer = { rules.apply(to: $0) }
        return HTTPClient(configuration: configuration)
    }
}
