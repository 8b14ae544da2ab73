package import EventLog

/// A log in memory, for tests: as durable as the process, with the limits of the file log.
package actor InMemoryLogBackend: LogBackend {
    private var records: [LogRecord] = []
    private var editionCount: UInt64 = 0
    private var isClosed = false
    private var failure: LogBackendError?

    package init(records: [[UInt8]] = []) { self.records = records.map(LogRecord.kept) }

    /// Makes every following append fail, or succeed again; without descriptors nothing can be read either.
    package func setFailure(_ failure: LogBackendError?) { self.failure = failure }

    package var durablePosition: UInt64 { UInt64(records.count) }

    package func append(_ records: [[UInt8]]) throws(LogBackendError) -> UInt64 {
        if let failure { throw failure }
        guard !isClosed else { throw .closed }
        try check(records)
        self.records += records.map(LogRecord.kept)
        return UInt64(self.records.count - records.count + 1)
    }

    package func read(from position: UInt64, bytesMax: Int) throws(LogBackendError) -> [LogRecord] {
        if case .noDescriptors? = failure { throw .noDescriptors("no file descriptor") }
        guard position <= UInt64(records.count) else { return [] }
        var page: [LogRecord] = []
        var byteCount = 0
        for record in records[(Int(max(position, 1)) - 1)...] {
            guard page.isEmpty || byteCount + record.content.count <= bytesMax else { break }
            page.append(record)
            byteCount += record.content.count
        }
        return page
    }

    /// Has hashes stand for the records at those positions.
    package func prune(_ positions: some Sequence<UInt64>) {
        editionCount += 1
        for position in positions {
            let index = Int(position) - 1
            records[index] = .pruned(leafHash: records[index].leafHash)
        }
    }

    package func editions() -> UInt64 { editionCount }

    package func close() { isClosed = true }

    private func check(_ records: [[UInt8]]) throws(LogBackendError) {
        guard (1...Frame.recordsMax).contains(records.count) else {
            throw .tooLarge("a batch holds 1 to \(Frame.recordsMax) records, not \(records.count)")
        }
        guard records.allSatisfy({ $0.count <= Frame.recordBytesMax }) else {
            throw .tooLarge("a record is larger than \(Frame.recordBytesMax) bytes")
        }
        guard records.reduce(0, { $0 + $1.count }) <= Frame.rawBytesMax else {
            throw .tooLarge("a batch is larger than \(Frame.rawBytesMax) bytes")
        }
    }
}
