import Dispatch
import Synchronization

/// What is asked of the thread sanitizer before it is believed: threads that wait for each other at a mutex are no race,
/// and threads that do not, with `--race`, are one.
@main
struct PlantedRace {
    static func main() {
        let counter = Counter()
        let isRace = CommandLine.arguments.contains("--race")
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<20_000 { isRace ? counter.addUnguarded() : counter.add() }
        }
        precondition(isRace || counter.count == 160_000, "the mutex lets two in")
    }
}

// SAFETY: `add` alone is safe; the race is what it is there for.
private final class Counter: @unchecked Sendable {
    private let mutex = Mutex(())
    private(set) var count = 0

    func add() { mutex.withLock { _ in count += 1 } }

    func addUnguarded() { count += 1 }
}
