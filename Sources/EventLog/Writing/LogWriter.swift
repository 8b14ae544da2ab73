/// Appends frames to the newest segment and begins the next one when it is full.
///
/// Synchronous, and free of clocks and chance: what it does follows from its storage alone.
package struct LogWriter {
    let storage: any LogStorage
    let segmentBytesMax: UInt64
    private(set) var frontier: MerkleFrontier
    private(set) var segment: String
    private var file: any LogFile
    /// The end of the newest durable frame.
    private var end: UInt64
    private var poison: String?
    /// Whether the next frame begins a segment, however small this one is.
    package var sealsBeforeNext = false
    /// Whether the mark of an orderly close may still be there: it says less than the log from the first append on.
    private var mayBeMarkedClean = true

    /// Goes on where recovery has ended.
    package init(storage: any LogStorage, segmentBytesMax: UInt64, recovered: LogRecovery.Tail) {
        self.storage = storage
        self.segmentBytesMax = segmentBytesMax
        frontier = recovered.frontier
        segment = recovered.segment
        file = recovered.file
        end = recovered.end
    }

    /// The last durable position.
    package var durablePosition: UInt64 { frontier.count }

    /// Writes the records as one frame and returns once it is durable.
    ///
    /// - Returns: the position of the first record, and the bytes written.
    /// - Throws: `LogError.noSpace` or `.noDescriptors` with nothing kept, `.tooLarge`, or `.poisoned` for good.
    package mutating func append(_ records: [[UInt8]]) throws(LogError) -> (first: UInt64, byteCount: Int) {
        if let poison { throw .poisoned(poison) }
        if mayBeMarkedClean {
            try LogRecovery.wrap { () throws(StorageError) in try CleanMark.remove(from: storage) }
            mayBeMarkedClean = false
        }
        let first = frontier.count + 1
        let frame = try Frame.encode(records, firstPosition: first)
        if end > UInt64(SegmentHeader.byteCount), sealsBeforeNext || end + UInt64(frame.count) > segmentBytesMax {
            try beginSegment(firstPosition: first)
        }
        do throws(StorageError) {
            try file.write(frame, at: end)
        } catch {
            throw undoingWrite(error)
        }
        do throws(StorageError) {
            try file.sync()
        } catch {
            throw poisoning(error)
        }
        end += UInt64(frame.count)
        for record in records { frontier.append(record) }
        return (first, frame.count)
    }

    private mutating func beginSegment(firstPosition: UInt64) throws(LogError) {
        let header = SegmentHeader(firstPosition: firstPosition, frontier: frontier)
        do throws(StorageError) {
            let next = try LogRecovery.createSegment(header, in: storage)
            segment = header.fileName
            sealsBeforeNext = false
            file = next
            end = UInt64(SegmentHeader.byteCount)
        } catch {
            // A half-made segment holds no frame: remove it, so that the next append can make it again.
            do throws(StorageError) {
                try storage.remove(header.fileName)
                try storage.syncDirectory()
            } catch let removal where removal.kind != .notFound {
                throw poisoning(removal)
            } catch {
                // It was never made: there is nothing to remove.
            }
            throw LogError(shortage: error) ?? poisoning(error)
        }
    }

    /// A full disk leaves the log as it was before the write; any other failure ends it.
    ///
    /// The cut is synced: should the segment be sealed next, no later sync would be, and a power cut could bring back a
    /// part of the write behind the last frame of a sealed segment.
    private mutating func undoingWrite(_ error: StorageError) -> LogError {
        guard let shortage = LogError(shortage: error) else { return poisoning(error) }
        do throws(StorageError) {
            try file.truncate(to: end)
            try file.sync()
            return shortage
        } catch {
            return poisoning(error)
        }
    }

    /// After a failed fdatasync the kernel may have dropped the pages: a later success would prove nothing.
    private mutating func poisoning(_ error: StorageError) -> LogError {
        poison = error.description
        return .poisoned(error.description)
    }
}
