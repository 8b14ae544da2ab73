/// A log in memory, for tests: as durable as the process.
package actor InMemoryLogBackend: LogBackend {
    private var records: [[UInt8]] = []
    private var isClosed = false
    private var failure: LogBackendError?

    package init(records: [[UInt8]] = []) { self.records = records }

    /// Makes every following append fail, or succeed again.
    package func setFailure(_ failure: LogBackendError?) { self.failure = failure }

    package var durablePosition: UInt64 { UInt64(records.count) }

    package func append(_ records: [[UInt8]]) throws(LogBackendError) -> UInt64 {
        if let failure { throw failure }
        guard !isClosed else { throw .stopped("the log is closed") }
        guard !records.isEmpty else { throw .tooLarge("a batch holds at least one record") }
        self.records += records
        return UInt64(self.records.count - records.count + 1)
    }

    package func read(from position: UInt64, bytesMax: Int) throws(LogBackendError) -> [[UInt8]] {
        guard position > 0, position <= UInt64(records.count) else { return [] }
        var page: [[UInt8]] = []
        var byteCount = 0
        for record in records[(Int(position) - 1)...] {
            guard page.isEmpty || byteCount + record.count <= bytesMax else { break }
            page.append(record)
            byteCount += record.count
        }
        return page
    }

    package func close() { isClosed = true }
}
