/// Which segments of a log hold something, oldest first, as a reader beside the writer sees it.
package struct LogListing: Sendable {
    /// The checked headers; whether each follows on the one before is for whoever reads the segments to say.
    package let headers: [SegmentHeader]
    /// Whether the last of them may still grow; the others are sealed.
    package let isLastOpen: Bool

    /// A newest segment without a frame is left out: it may be in the making, and has nothing to read.
    ///
    /// - Throws: `LogError.damaged` for a header that is not as it was written, `.foreign`, `.storage`.
    package init(_ storage: any LogStorage) throws(LogError) {
        var firsts = try LogRecovery.segmentPositions(storage)
        isLastOpen =
            try firsts.last.map { first throws(LogError) in
                try LogRecovery.wrap { () throws(StorageError) in
                    let file = try storage.open(SegmentHeader.fileName(firstPosition: first), isWritable: false)
                    return try file.size() > UInt64(SegmentHeader.byteCount)
                }
            } ?? false
        if !isLastOpen { _ = firsts.popLast() }
        var headers: [SegmentHeader] = []
        for first in firsts { headers.append(try LogRecovery.header(first, storage)) }
        self.headers = headers
    }
}
