/// The segments of a log by the names of their files: the place to begin for a reader that does not want all of it.
package struct LogSegments {
    /// The first position of each segment, oldest first.
    package let firsts: [UInt64]
    private let storage: any LogStorage

    /// - Throws: `LogError.foreign` for a file that is no segment, `.storage`.
    package init(_ storage: any LogStorage) throws(LogError) {
        self.storage = storage
        firsts = try LogRecovery.segmentPositions(storage)
    }

    /// The segment that holds the position, or would when it is written; 0 for a log without segments.
    package func index(holding position: UInt64) -> Int {
        max(0, (firsts.firstIndex { $0 > position } ?? firsts.count) - 1)
    }

    /// The newest segment whose first kept record is as wanted; 0 when there is none.
    ///
    /// Reads one frame of each segment that it passes, from the newest on.
    package func lastIndex(
        where isWanted: (_ position: UInt64, _ record: [UInt8]) throws -> Bool
    ) throws -> Int {
        for index in firsts.indices.reversed() {
            if let (position, record) = try firstRecord(index), try isWanted(position, record) { return index }
        }
        return 0
    }

    private func firstRecord(_ index: Int) throws(LogError) -> (position: UInt64, record: [UInt8])? {
        var found: (UInt64, [UInt8])?
        _ = try SegmentCheck(firsts[index], isNewest: index == firsts.count - 1, storage) { position, record in
            found = (position, record)
            return .stop
        }
        return found
    }
}
