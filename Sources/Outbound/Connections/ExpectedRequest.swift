import Synchronization

/// A request as it has to appear on its connection.
package struct ExpectedRequest: Sendable {
    /// Carries a request's number through the client library, to the connection that it is sent on. It is never sent.
    package static let headerName = "sluice-outbound-request"

    let method: String
    let target: String
    let headers: [(name: String, value: String)]
    let limits: OutboundLimits

    package init(_ request: OutboundRequest) {
        method = request.method
        target = request.url.target
        headers = request.headers.filter { !Self.isFraming($0.name) }
        limits = request.limits
    }

    /// The bytes that the connection must begin the request with.
    var requestLine: String { "\(method) \(target) HTTP/1.1\r\n" }

    /// Compares a head, without the header of the request's number, with the request.
    ///
    /// - Returns: the difference; `nil` when there is none.
    func difference(
        fromMethod method: String, headers sent: some Sequence<(name: String, value: String)>
    ) -> String? {
        guard method == self.method else { return "the method to be sent is not the request's" }
        var rest = headers[...]
        for header in sent {
            if let next = rest.first, next.name == header.name, next.value == header.value {
                rest.removeFirst()
            } else if !Self.isAddedByClient(header.name) {
                return "a header to be sent is not the request's"
            }
        }
        return rest.isEmpty ? nil : "a header of the request is missing"
    }

    /// True for the headers that say how the body is framed, which the client library sets.
    private static func isFraming(_ name: String) -> Bool {
        // Most names have another length, and are not compared.
        switch name.utf8.count {
        case 14: name.lowercased() == "content-length"
        case 17: name.lowercased() == "transfer-encoding"
        default: false
        }
    }

    private static func isAddedByClient(_ name: String) -> Bool {
        switch name.utf8.count {
        case 4: name.lowercased() == "host"
        case 10: name.lowercased() == "connection"
        default: isFraming(name)
        }
    }
}

/// The requests that are on their way to a connection, by number.
package final class ExpectedRequests: Sendable {
    private struct State {
        var requests: [UInt64: ExpectedRequest] = [:]
        var last: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Keeps a request until it is sent, and gives it its number.
    package func add(_ request: ExpectedRequest) -> UInt64 {
        state.withLock { state in
            state.last += 1
            state.requests[state.last] = request
            return state.last
        }
    }

    /// Hands out a request once: it is sent on one connection.
    package func take(_ number: UInt64) -> ExpectedRequest? {
        state.withLock { $0.requests.removeValue(forKey: number) }
    }
}
