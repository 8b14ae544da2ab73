import Domain
import EventStreaming
import NIOCore
import Synchronization

/// Follows the log once for all clients of a subject, and sends each of them the same bytes.
///
/// It goes in rounds: what has come since the last one is one chunk, which each event loop writes to its members. A round
/// that takes long, because there are many, is followed by a pause as long, of 50 ms at most: others get their turn, and
/// more of what comes meanwhile is sent at once.
final class StreamGroup: Sendable {
    private static let pauseMax = Duration.milliseconds(50)
    /// How many members are written to before an event loop sees to its other connections.
    private static let membersAtOnce = 128

    private struct State {
        /// The newest position that was sent, or is being sent.
        var position: Position
        var members: [ObjectIdentifier: [StreamMember]]
        var isClosed = false
        var emptied: CheckedContinuation<Void, Never>?

        var isEmpty: Bool { members.values.allSatisfy(\.isEmpty) }

        /// Takes nobody up any more; hands back whoever waits for that.
        mutating func close() -> CheckedContinuation<Void, Never>? {
            isClosed = true
            defer { emptied = nil }
            return emptied
        }
    }

    let subject: StreamSubject
    private let start: Position
    private let state: Mutex<State>

    /// A group of one, whose member has everything up to `position`.
    init(_ subject: StreamSubject, at position: Position, first: StreamMember) {
        self.subject = subject
        start = position
        state = Mutex(State(position: position, members: [ObjectIdentifier(first.eventLoop): [first]]))
    }

    enum Joining {
        case joined
        /// The group has sent what the member does not have yet.
        case behind
        case closed
    }

    /// Takes up a member that has everything up to `position`.
    func join(_ member: StreamMember, at position: Position) -> Joining {
        state.withLock { state in
            guard !state.isClosed else { return .closed }
            guard position >= state.position else { return .behind }
            state.members[ObjectIdentifier(member.eventLoop), default: []].append(member)
            return .joined
        }
    }

    /// Forgets a member that has departed.
    func leave(_ member: StreamMember) {
        let emptied = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.members[ObjectIdentifier(member.eventLoop)]?.removeAll { $0 === member }
            return state.isEmpty ? state.close() : nil
        }
        emptied?.resume()
    }

    /// Sends until nobody is left, nothing follows, or the task is cancelled: then every member is told that its client
    /// has gone. After a failure they are told to go on alone.
    func run(_ streamer: EventStreamer) async {
        await withTaskGroup { group in
            group.addTask { await self.send(streamer.follow(self.subject.filter, after: self.start)) }
            group.addTask { await self.untilEmptied() }
            await group.next()
            group.cancelAll()
        }
        close(Task.isCancelled ? .gone : nil)
    }

    /// Takes nobody up any more, and has all members depart: as lagging, unless told otherwise.
    func close(_ departure: StreamMember.Departure?) {
        let left = state.withLock { state in
            state.isClosed = true
            return state.members.values.flatMap { $0 }
        }
        for member in left { member.depart(departure ?? .lagging(member.position)) }
    }

    private func send(_ follower: EventFollower) async {
        var follower = follower
        // Whatever ends it, a client that goes on alone meets the same and says so.
        while let items = try? await follower.nextBatch() {
            let chunk = StreamChunk(items, of: subject)
            let begin = ContinuousClock.now
            await deliver(chunk)
            if chunk.isEnd { return }
            let pause = min(begin.duration(to: .now), Self.pauseMax)
            if pause > .milliseconds(1) { try? await Task.sleep(for: pause) }
        }
    }

    /// Has every event loop send the chunk to its members, and waits for all of them.
    private func deliver(_ chunk: StreamChunk) async {
        let members = state.withLock { state in
            state.position = max(state.position, chunk.last ?? state.position)
            return state.members.values.filter { !$0.isEmpty }
        }
        await withDiscardingTaskGroup { group in
            for members in members {
                group.addTask {
                    for begin in stride(from: 0, to: members.count, by: Self.membersAtOnce) {
                        let some = members[begin..<min(begin + Self.membersAtOnce, members.count)]
                        // An event loop that has ended has no connections left.
                        try? await members[0].eventLoop.submit { for member in some { member.deliver(chunk) } }.get()
                    }
                }
            }
        }
    }

    /// Returns when the last member has left, or the task is cancelled; nobody can join from then on.
    private func untilEmptied() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let isOver = state.withLock { state in
                    if state.isEmpty { state.isClosed = true }
                    if !state.isClosed { state.emptied = waiter }
                    return state.isClosed
                }
                if isOver { waiter.resume() }
            }
        } onCancel: {
            state.withLock { $0.close() }?.resume()
        }
    }
}
