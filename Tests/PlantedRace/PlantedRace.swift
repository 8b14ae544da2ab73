import Foundation
import Synchronization

/// What is asked of the thread sanitizer before it is believed: threads that wait for each other at a mutex are no race,
/// and threads that do not, with `--race`, are one.
@main
struct PlantedRace {
    private static let threads = 4
    private static let additions = 100_000

    static func main() {
        let counter = Counter()
        let isRace = CommandLine.arguments.contains("--race")
        let group = DispatchGroup()
        for _ in 0..<threads {
            group.enter()
            Thread.detachNewThread {
                for _ in 0..<additions { isRace ? counter.addUnguarded() : counter.add() }
                group.leave()
            }
        }
        group.wait()
        precondition(isRace || counter.count == threads * additions, "the mutex lets two in")
    }
}

// SAFETY: `add` alone is safe; the race is what it is there for.
private final class Counter: @unchecked Sendable {
    private let mutex = Mutex(())
    private(set) var count = 0

    func add() { mutex.withLock { _ in count += 1 } }

    func addUnguarded() { count += 1 }
}
