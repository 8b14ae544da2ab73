import Domain

/// Decided commands that wait for the disk, in order, within bounds.
struct CommandQueue {
    typealias Completion = CheckedContinuation<Result<Receipt, CommandError>, Never>

    struct Batch {
        var events: [Event] = []
        var waiting: [(eventCount: Int, completion: Completion)] = []
    }

    /// One frame of the log stays well below the log's own bounds.
    private static let batchEventsMax = 4096
    private static let batchBytesMax = 8 * 1024 * 1024

    private struct Item {
        let events: [Event]
        let bytes: Int
        let completion: Completion
    }

    private let lengthMax: Int
    private let bytesMax: Int
    private var items: [Item] = []
    private var head = 0
    private var bytes = 0

    init(lengthMax: Int, bytesMax: Int) {
        self.lengthMax = lengthMax
        self.bytesMax = bytesMax
    }

    var count: Int { items.count - head }
    var isEmpty: Bool { count == 0 }
    var isFull: Bool { count >= lengthMax || bytes >= bytesMax }

    mutating func append(_ events: [Event], _ completion: Completion) {
        let size = events.reduce(0) { $0 + $1.payload.approximateSizeBytes }
        bytes += size
        items.append(Item(events: events, bytes: size, completion: completion))
    }

    /// Takes whole commands from the front, as many as fit into one frame and at least one.
    mutating func takeBatch() -> Batch {
        var batch = Batch()
        var batchBytes = 0
        while head < items.count {
            let item = items[head]
            let fits =
                batch.events.count + item.events.count <= Self.batchEventsMax
                && batchBytes + item.bytes <= Self.batchBytesMax
            guard fits || batch.events.isEmpty else { break }
            batch.events.append(contentsOf: item.events)
            batch.waiting.append((item.events.count, item.completion))
            batchBytes += item.bytes
            bytes -= item.bytes
            head += 1
        }
        if head == items.count {
            items.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 4096 {
            items.removeFirst(head)
            head = 0
        }
        return batch
    }

    mutating func failAll(_ error: CommandError) {
        for item in items[head...] { item.completion.resume(returning: .failure(error)) }
        items.removeAll()
        head = 0
        bytes = 0
    }
}
