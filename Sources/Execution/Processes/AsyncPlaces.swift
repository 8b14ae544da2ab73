import Synchronization

/// A number of places; who finds none waits for one.
final class AsyncPlaces: Sendable {
    private struct State {
        var free: Int
        var waiting: [Promise<Void>] = []
    }

    private let state: Mutex<State>

    init(count: Int) { state = Mutex(State(free: count)) }

    /// Whether a place was had; none, when the task was cancelled.
    func take() async -> Bool {
        let promise = state.withLock { state -> Promise<Void>? in
            if state.free > 0 {
                state.free -= 1
                return nil
            }
            let promise = Promise<Void>()
            state.waiting.append(promise)
            return promise
        }
        guard let promise else { return true }
        if await promise.value() != nil { return true }
        let isLate = state.withLock { state in
            guard let index = state.waiting.firstIndex(where: { $0 === promise }) else { return true }
            state.waiting.remove(at: index)
            return false
        }
        if isLate { giveBack() }
        return false
    }

    func giveBack() {
        state.withLock { state -> Promise<Void>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.free += 1
            return nil
        }?.fulfill(())
    }
}
