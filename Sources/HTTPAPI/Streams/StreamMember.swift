import Domain
import NIOCore
import NIOHTTPTypes
import Synchronization

/// One client of a group: written to on its connection's event loop, as long as it keeps up.
final class StreamMember: Sendable {
    /// Why a member is no longer written to.
    enum Departure: Sendable {
        /// Nothing follows.
        case ended
        /// It does not read as fast as the group writes; it has everything up to there.
        case lagging(Position)
        /// The client has gone away.
        case gone
    }

    private struct State {
        /// It has everything up to there.
        var position: Position
        var departure: Departure?
        var waiter: CheckedContinuation<Departure, Never>?
    }

    private let connection: StreamConnection
    private let state: Mutex<State>

    var eventLoop: any EventLoop { connection.channel.eventLoop }

    init(_ connection: StreamConnection, at position: Position) {
        self.connection = connection
        state = Mutex(State(position: position))
        connection.attach(self)
    }

    /// It has everything up to there.
    var position: Position { state.withLock { $0.position } }

    /// Returns once the member is no longer written to; a cancellation makes it depart.
    func departure() async -> Departure {
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let departure = state.withLock { state in
                    if state.departure == nil { state.waiter = waiter }
                    return state.departure
                }
                if let departure { waiter.resume(returning: departure) }
            }
        } onCancel: {
            depart(.gone)
        }
    }

    /// Sends what of the chunk the client does not have. On the event loop only.
    ///
    /// What a client has not read yet is bounded by its connection's watermark and one chunk.
    func deliver(_ chunk: StreamChunk) {
        eventLoop.assertInEventLoop()
        let (position, hasDeparted) = state.withLock { ($0.position, $0.departure != nil) }
        guard !hasDeparted else { return }
        guard connection.channel.isWritable else { return depart(.lagging(position)) }
        let bytes = chunk.bytes(after: position)
        if bytes.readableBytes > 0 { connection.channel.writeAndFlush(HTTPResponsePart.body(bytes), promise: nil) }
        state.withLock { $0.position = max($0.position, chunk.last ?? $0.position) }
        if chunk.isEnd { depart(.ended) }
    }

    func depart(_ departure: Departure) {
        let waiter = state.withLock { state -> CheckedContinuation<Departure, Never>? in
            guard state.departure == nil else { return nil }
            state.departure = departure
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: departure)
    }
}
