import DequeModule
package import Domain

/// Decided commands that wait for the disk, in order, within bounds.
struct CommandQueue<Waiter: Sendable>: Sendable {
    /// One frame of the log stays well below the log's own bounds.
    private static var batchEventsMax: Int { 4096 }
    private static var batchBytesMax: Int { 8 * 1024 * 1024 }

    private struct Item: Sendable {
        let events: [Event]
        let bytes: Int
        let waiter: Waiter
    }

    private let lengthMax: Int
    private let bytesMax: Int
    /// A command that was taken keeps nothing in memory.
    private var items: Deque<Item> = []
    private var bytes = 0

    init(lengthMax: Int, bytesMax: Int) {
        self.lengthMax = lengthMax
        self.bytesMax = bytesMax
    }

    var count: Int { items.count }
    var isEmpty: Bool { items.isEmpty }
    var isFull: Bool { items.count >= lengthMax || bytes >= bytesMax }

    mutating func append(_ events: [Event], _ waiter: Waiter) {
        let size = events.reduce(0) { $0 + $1.payload.approximateSizeBytes }
        bytes += size
        items.append(Item(events: events, bytes: size, waiter: waiter))
    }

    /// Takes whole commands from the front, as many as fit into one frame and at least one; `nil` when there is none.
    mutating func takeBatch() -> CommandBatch<Waiter>? {
        guard !isEmpty else { return nil }
        var batch = CommandBatch<Waiter>()
        var batchBytes = 0
        while let item = items.first {
            let fits =
                batch.events.count + item.events.count <= Self.batchEventsMax
                && batchBytes + item.bytes <= Self.batchBytesMax
            guard fits || batch.events.isEmpty else { break }
            batch.events.append(contentsOf: item.events)
            batch.waiting.append((item.events.count, item.waiter))
            batchBytes += item.bytes
            bytes -= item.bytes
            items.removeFirst()
        }
        return batch
    }

    /// Empties the queue and hands back everybody who waits in it.
    mutating func takeWaiters() -> [Waiter] {
        let waiters = items.map(\.waiter)
        items.removeAll()
        bytes = 0
        return waiters
    }
}

/// Commands that go to the log as one frame.
package struct CommandBatch<Waiter: Sendable>: Sendable {
    package fileprivate(set) var events: [Event] = []
    fileprivate(set) var waiting: [(eventCount: Int, waiter: Waiter)] = []

    /// What each command is answered with once its events are recorded.
    package func receipts(_ recorded: [RecordedEvent]) -> WriterState<Waiter>.Answers {
        precondition(recorded.count == events.count, "every event of a batch is recorded")
        var next = 0
        return waiting.map { count, waiter in
            defer { next += count }
            let receipt = Receipt(
                position: recorded[next + count - 1].position, events: Array(recorded[next..<next + count]),
                isRepeated: false)
            return (waiter, .written(receipt))
        }
    }

    /// The same answer for everybody.
    func refusals(_ error: CommandError) -> WriterState<Waiter>.Answers {
        waiting.map { ($0.waiter, .failed(error)) }
    }
}
