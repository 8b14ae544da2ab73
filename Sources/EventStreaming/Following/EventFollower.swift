package import Domain

/// What a client follows: matching events as they become visible, heartbeats in silence, and an end.
///
/// Holds a cursor and at most one batch, however slow the client is; nobody waits for it.
package struct EventFollower: AsyncSequence, AsyncIteratorProtocol, Sendable {
    private var scan: EventScan
    private let heartbeat: Duration

    init(scan: EventScan, heartbeat: Duration) {
        self.scan = scan
        self.heartbeat = heartbeat
    }

    package func makeAsyncIterator() -> EventFollower { self }

    /// The next item; `nil` after the end, when the store is closed, or the task cancelled.
    ///
    /// A heartbeat comes whenever that long nothing matched, also while other events pass by.
    package mutating func next() async throws -> StreamItem? {
        if let item = scan.takeItem() { return item }
        guard !scan.isEnded, !Task.isCancelled else { return nil }
        let isSilent = try await advance()
        if let item = scan.takeItem() { return item }
        return isSilent && !scan.isEnded && !Task.isCancelled ? .heartbeat(scan.position) : nil
    }

    /// The next item and all that are ready with it; `nil` where `next` is.
    package mutating func nextBatch() async throws -> [StreamItem]? {
        guard let first = try await next() else { return nil }
        return [first] + scan.takeItems()
    }

    /// Everything up to here has been looked at, and given out when nothing is ready.
    package var position: Position { scan.position }

    private enum Progress: Sendable {
        case scanned(EventScan)
        case silence
    }

    /// Scans on until there is an item, or for the heartbeat's time; whether that ran out.
    private mutating func advance() async throws -> Bool {
        let (start, heartbeat) = (scan, heartbeat)
        var isSilent = false
        try await withThrowingTaskGroup(of: Progress.self) { group in
            group.addTask {
                var scan = start
                do {
                    try await scan.advance()
                } catch is CancellationError {
                    // What was looked at before counts; the batch that it was at comes again.
                }
                return .scanned(scan)
            }
            group.addTask {
                do {
                    try await Task.sleep(for: heartbeat)
                } catch is CancellationError {
                    // The scan was faster.
                }
                return .silence
            }
            for try await progress in group {
                switch progress {
                case .scanned(let scanned): scan = scanned
                case .silence: isSilent = true
                }
                group.cancelAll()
            }
        }
        return isSilent
    }
}
