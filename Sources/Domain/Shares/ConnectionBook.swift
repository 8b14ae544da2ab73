/// Decides which connections of a listener stay open when there are more than it keeps.
///
/// A connection belongs to its peer until a request on it is authenticated, then to that request's principal. When the
/// listener is full, a new connection takes the place of the oldest unauthenticated one of the peer that has the most,
/// else of the oldest idle one of the principal that has the most. A connection whose authenticated request is in flight
/// is never closed for another. Decisions take constant time.
package struct ConnectionBook: Sendable {
    /// The number of a connection, unique among the open ones.
    package typealias ID = Int

    /// The decision about a new connection.
    package enum Admission: Hashable, Sendable {
        case refused
        /// The connection is open, and that other one, if any, has to be closed for it.
        case admitted(closing: ID?)
    }

    private enum State {
        case unauthenticated
        case inFlight(Actor.Kind)
        case idle(Actor.Kind)
    }

    private struct Connection {
        let peer: String
        var state = State.unauthenticated
    }

    private let rule: ShareRule
    private let peerMax: Int?
    private var connections: [ID: Connection] = [:]
    private var peers = ShareBook<String>()
    private var principals = ShareBook<Actor.Kind>()
    private var unauthenticated = FairQueue<String, ID>()
    private var idle = FairQueue<Actor.Kind, ID>()

    /// - Parameters:
    ///   - rule: the number of connections to keep, and a principal's share of it.
    ///   - peerMax: the maximum number of connections of one peer; `nil` when none is refused for its peer.
    package init(_ rule: ShareRule, peerMax: Int?) {
        self.rule = rule
        self.peerMax = peerMax
    }

    /// The number of open connections.
    package var count: Int { connections.count }

    /// Adds a new connection, unless its peer has its maximum.
    package mutating func open(_ id: ID, from peer: String) -> Admission {
        if let peerMax, peers.held(by: peer) >= peerMax { return .refused }
        let replaced = count < rule.total ? nil : unauthenticated.next ?? idle.next
        if let replaced { close(replaced) }
        connections[id] = Connection(peer: peer)
        peers.take(1, for: peer)
        unauthenticated.append(id, of: peer)
        return .admitted(closing: replaced)
    }

    /// Records that a request on the connection was authenticated and is in flight.
    package mutating func authenticate(_ id: ID, as principal: Actor.Kind) {
        guard let connection = connections[id] else { return }
        if case .idle(principal) = connection.state {
            // It has its part of the principal's share already.
            idle.remove(id, of: principal)
        } else {
            leave(connection, id)
            principals.take(1, for: principal)
        }
        connections[id]?.state = .inFlight(principal)
    }

    /// Records that all requests of the connection are answered.
    ///
    /// - Returns: the oldest idle connection of the same principal, which has to be closed, when the principal has more
    ///   than its share.
    package mutating func rest(_ id: ID) -> ID? {
        guard case .inFlight(let principal)? = connections[id]?.state else { return nil }
        connections[id]?.state = .idle(principal)
        idle.append(id, of: principal)
        let held = principals.held(by: principal)
        guard rule.refusal(of: 0, held: held, taken: principals.taken) == .shareExceeded,
            let oldest = idle.oldest(of: principal)
        else { return nil }
        close(oldest)
        return oldest
    }

    /// Forgets a connection; one that is not open changes nothing.
    package mutating func close(_ id: ID) {
        guard let connection = connections.removeValue(forKey: id) else { return }
        leave(connection, id)
        peers.release(1, of: connection.peer)
    }

    private mutating func leave(_ connection: Connection, _ id: ID) {
        switch connection.state {
        case .unauthenticated: unauthenticated.remove(id, of: connection.peer)
        case .inFlight(let principal): principals.release(1, of: principal)
        case .idle(let principal):
            idle.remove(id, of: principal)
            principals.release(1, of: principal)
        }
    }
}
