import NIOCore
import Synchronization

/// A client's connection, for as long as its stream lasts: it tells the member that writes to it when the client goes.
final class StreamConnection: Sendable {
    private struct State {
        var isClosed = false
        weak var member: StreamMember?
    }

    let channel: any Channel
    private let state = Mutex(State())

    init(_ channel: any Channel) {
        self.channel = channel
        channel.closeFuture.whenComplete { [weak self] _ in
            let member = self?.state.withLock { state in
                state.isClosed = true
                return state.member
            }
            member?.depart(.gone)
        }
    }

    /// Tells the member, and no earlier one, when the client goes; at once if it has gone.
    func attach(_ member: StreamMember) {
        let isClosed = state.withLock { state in
            state.member = member
            return state.isClosed
        }
        if isClosed { member.depart(.gone) }
    }
}
