/// Writes a log anew, up to a position.
package enum LogRestoration {
    /// Copies segments byte for byte; a frame that reaches beyond the position is made anew of the records before it.
    ///
    /// What was written is read again and checked: every frame, and that each segment follows on the one before.
    ///
    /// - Parameters:
    ///   - target: an empty directory.
    ///   - progress: called after each segment with the last position written.
    /// - Returns: the RFC 6962 tree head of what was written, lower-case hex.
    package static func write(
        _ source: any LogStorage, through position: UInt64, to target: any LogStorage,
        progress: (UInt64) -> Void = { _ in }
    ) throws(LogError) -> String {
        let firsts = try LogRecovery.segmentPositions(source).filter { $0 <= position }
        var chain = SegmentChain()
        for first in firsts {
            if first == firsts.last {
                try cut(first, through: position, source, target)
            } else {
                try LogRecovery.wrap { () throws(StorageError) in
                    let name = SegmentHeader.fileName(firstPosition: first)
                    let (original, copy) = (try source.open(name, isWritable: false), try target.create(name))
                    try SegmentCopy.copyBytes(of: original, count: try original.size(), to: copy)
                    try copy.sync()
                }
            }
            try chain.append(try SegmentCheck(first, isNewest: false, target) { _, _ in .fine })
            progress(chain.frontier.count)
        }
        guard chain.frontier.count == position else {
            throw .damaged(
                segment: SegmentHeader.fileName(firstPosition: firsts.last ?? 1), position: chain.frontier.count + 1,
                offset: 0, reason: "the log ends before position \(position)")
        }
        // From here on a shorter log is damage: there is no torn tail in what a restore has written.
        try LogRecovery.wrap { () throws(StorageError) in
            try CleanMark.write(position, to: target)
            try target.syncDirectory()
        }
        return SegmentCopy.hexText(chain.frontier.root)
    }

    /// Writes the segment's frames up to the position.
    private static func cut(
        _ first: UInt64, through position: UInt64, _ source: any LogStorage, _ target: any LogStorage
    ) throws(LogError) {
        let name = SegmentHeader.fileName(firstPosition: first)
        var (end, rest) = (UInt64(SegmentHeader.byteCount), nil as (first: UInt64, records: [LogRecord])?)
        let original = try LogRecovery.wrap { () throws(StorageError) in
            let file = try source.open(name, isWritable: false)
            var scan = try SegmentScan(name: name, file: file, firstPosition: first)
            _ = try scan.walk { frame, offset, records in
                guard frame.lastPosition > position else {
                    end = offset + UInt64(frame.byteCount)
                    return frame.lastPosition < position
                }
                rest = (frame.firstPosition, Array(records.prefix(Int(position - frame.firstPosition + 1))))
                return false
            }
            return file
        }
        let tail = try rest.map { rest throws(LogError) in
            try Frame.encode(pruned: rest.records, firstPosition: rest.first)
        }
        try LogRecovery.wrap { () throws(StorageError) in
            let copy = try target.create(name)
            try SegmentCopy.copyBytes(of: original, count: end, to: copy)
            if let tail { try copy.write(tail, at: end) }
            try copy.sync()
        }
    }
}
