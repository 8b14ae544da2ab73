import Domain
import Gateways
import Metrics
import NIOCore
import Synchronization

/// The open connections of one listener, so that neither clients without a key nor one principal take what others need.
final class Connections: Sendable {
    private struct Member {
        let channel: any Channel
        let client: CallerPresence
    }

    private struct Open {
        var book: ConnectionBook
        var members: [ConnectionBook.ID: Member] = [:]
    }

    private let open: Mutex<Open>
    private let refused = Counter(label: "sluice_gate_connections_refused_total")
    private let evicted = Counter(label: "sluice_connections_evicted_total")

    /// - Parameters:
    ///   - total: the maximum number of connections; a part of it is free for new ones.
    ///   - sharePercent: a principal's share of them.
    ///   - peerMax: the maximum number of connections of one agent instance; `nil` at the API's listener.
    init(total: Int, sharePercent: Int, peerMax: Int? = nil) {
        let rule = ShareRule(total: total - Self.reserve(of: total), percent: sharePercent)
        open = Mutex(Open(book: ConnectionBook(rule, peerMax: peerMax)))
    }

    /// The part of a maximum that accepts new connections while those in whose place they come are being closed.
    private static func reserve(of total: Int) -> Int { total < 2 ? 0 : max(1, min(16, total / 8)) }

    /// Adds a new connection, and closes another one for it where all places are taken; `false`, and it is not added,
    /// when its peer has as many as it may have.
    func add(_ channel: any Channel, of client: CallerPresence, from peer: ConnectionPeer) -> Bool {
        let id = Self.id(channel)
        let (isAdmitted, replaced) = open.withLock { open -> (Bool, Member?) in
            guard case .admitted(let replaced) = open.book.open(id, from: peer.name) else { return (false, nil) }
            open.members[id] = Member(channel: channel, client: client)
            return (true, replaced.flatMap { open.members.removeValue(forKey: $0) })
        }
        if !isAdmitted { refused.increment() }
        close(replaced)
        return isAdmitted
    }

    /// Records that a request on the connection comes from the principal.
    ///
    /// - Returns: the presence of the connection's client.
    func authenticated(_ channel: any Channel, as principal: Actor.Kind) -> CallerPresence {
        let id = Self.id(channel)
        return open.withLock { open in
            open.book.authenticate(id, as: principal)
            return open.members[id]?.client ?? .gone
        }
    }

    /// Records that all requests of the connection are answered; closes one that its principal has beyond its share.
    func answered(_ channel: any Channel) {
        let surplus = open.withLock { open in
            open.book.rest(Self.id(channel)).flatMap { open.members.removeValue(forKey: $0) }
        }
        close(surplus)
    }

    func remove(_ channel: any Channel) {
        let id = Self.id(channel)
        open.withLock { open in
            open.book.close(id)
            open.members[id] = nil
        }
    }

    private static func id(_ channel: any Channel) -> ConnectionBook.ID { Int(bitPattern: ObjectIdentifier(channel)) }

    private func close(_ member: Member?) {
        guard let member else { return }
        evicted.increment()
        member.channel.close(promise: nil)
    }
}
