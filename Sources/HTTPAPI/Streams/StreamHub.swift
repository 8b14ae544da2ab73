import Domain
import EventStreaming
import NIOCore
import ServiceLifecycle
import Synchronization

/// Brings clients that follow the same subject together in one group.
final class StreamHub: Sendable {
    private enum Place {
        case known(StreamGroup)
        case new(StreamGroup)
        case behind
        case over
    }

    private struct State {
        var groups: [StreamSubject: StreamGroup] = [:]
        var isOver = false

        mutating func place(_ member: StreamMember, in subject: StreamSubject, at position: Position) -> Place {
            guard !isOver else { return .over }
            if let group = groups[subject] {
                switch group.join(member, at: position) {
                case .joined: return .known(group)
                case .behind: return .behind
                case .closed: break
                }
            }
            let group = StreamGroup(subject, at: position, first: member)
            groups[subject] = group
            return .new(group)
        }
    }

    private let streamer: EventStreamer
    private let state = Mutex(State())
    private let begun: AsyncStream<StreamGroup>
    private let begin: AsyncStream<StreamGroup>.Continuation

    init(_ streamer: EventStreamer) {
        self.streamer = streamer
        (begun, begin) = AsyncStream.makeStream()
    }

    /// Runs the groups until a graceful shutdown or its task's cancellation; every member departs then.
    func run() async {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for await each in self.begun {
                    group.addTask {
                        await each.run(self.streamer)
                        self.state.withLock { if $0.groups[each.subject] === each { $0.groups[each.subject] = nil } }
                    }
                }
            }
        }
        let left = state.withLock { state in
            state.isOver = true
            return Array(state.groups.values)
        }
        for group in left { group.close(.gone) }
    }

    /// Puts the client, which has everything up to `position`, into its subject's group and returns once it is no longer
    /// written to; `nil` when the group has sent more than that already.
    func follow(
        _ subject: StreamSubject, _ connection: StreamConnection, from position: Position
    ) async -> StreamMember.Departure? {
        let member = StreamMember(connection, at: position)
        switch state.withLock({ $0.place(member, in: subject, at: position) }) {
        case .over: return .gone
        case .behind: return nil
        case .new(let group):
            begin.yield(group)
            return await departure(of: member, from: group)
        case .known(let group): return await departure(of: member, from: group)
        }
    }

    private func departure(of member: StreamMember, from group: StreamGroup) async -> StreamMember.Departure {
        defer { group.leave(member) }
        return await member.departure()
    }
}
