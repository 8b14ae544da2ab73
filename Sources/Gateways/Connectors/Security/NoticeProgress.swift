package import Domain
import Synchronization

/// Where it is kept how far the log was told of, through restarts.
package struct NoticeMark: Sendable {
    let load: @Sendable () async -> Position?
    let save: @Sendable (Position) async -> Void

    package init(
        load: @escaping @Sendable () async -> Position?, save: @escaping @Sendable (Position) async -> Void
    ) {
        self.load = load
        self.save = save
    }
}

/// How far the log was read, and which notices of it are still on their way.
package final class NoticeProgress: Sendable {
    private struct State {
        var read: Position
        var marked: Position
        var open: Set<Position> = []

        /// Everything up to there is seen to.
        var reached: Position { open.min().map { Position($0.value - 1) } ?? read }
    }

    /// How far the log is read with nothing to tell of before the mark follows.
    private static let markedEvery: UInt64 = 10_000

    private let state: Mutex<State>
    private let mark: NoticeMark

    package init(at position: Position, _ mark: NoticeMark) {
        state = Mutex(State(read: position, marked: position))
        self.mark = mark
    }

    package func begin(_ position: Position) { state.withLock { _ = $0.open.insert(position) } }

    package func end(_ position: Position) async {
        let reached = state.withLock { state in
            state.open.remove(position)
            state.marked = max(state.marked, state.reached)
            return state.reached
        }
        await mark.save(reached)
    }

    package func read(through position: Position) async {
        let reached = state.withLock { state -> Position? in
            state.read = position
            guard state.reached.value >= state.marked.value + Self.markedEvery else { return nil }
            state.marked = state.reached
            return state.marked
        }
        if let reached { await mark.save(reached) }
    }
}
