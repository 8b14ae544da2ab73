import Domain
import Metrics
import NIOCore
import Synchronization

/// The open connections of one listener, so that neither clients without a key nor one principal take what others need.
final class Connections: Sendable {
    private struct Open {
        var book: ConnectionBook<ObjectIdentifier, ConnectionPeer, Actor.Kind>
        var channels: [ObjectIdentifier: any Channel] = [:]
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
    func add(_ channel: any Channel, from peer: ConnectionPeer) -> Bool {
        let id = ObjectIdentifier(channel)
        let (isAdmitted, replaced) = open.withLock { open -> (Bool, (any Channel)?) in
            guard case .admitted(let replaced) = open.book.open(id, from: peer) else { return (false, nil) }
            open.channels[id] = channel
            return (true, replaced.flatMap { open.channels.removeValue(forKey: $0) })
        }
        if !isAdmitted { refused.increment() }
        close(replaced)
        return isAdmitted
    }

    /// Records that a request on the connection comes from the principal.
    func authenticated(_ channel: any Channel, as principal: Actor.Kind) {
        open.withLock { $0.book.authenticate(ObjectIdentifier(channel), as: principal) }
    }

    /// Records that all requests of the connection are answered; closes one that its principal has beyond its share.
    func answered(_ channel: any Channel) {
        let surplus = open.withLock { open in
            open.book.rest(ObjectIdentifier(channel)).flatMap { open.channels.removeValue(forKey: $0) }
        }
        close(surplus)
    }

    func remove(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        open.withLock { open in
            open.book.close(id)
            open.channels[id] = nil
        }
    }

    private func close(_ channel: (any Channel)?) {
        guard let channel else { return }
        evicted.increment()
        channel.close(promise: nil)
    }
}
