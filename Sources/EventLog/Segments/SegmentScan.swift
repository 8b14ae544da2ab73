/// Walks a segment's frames from its beginning and checks each one.
struct SegmentScan {
    /// Where the walk ended, and why.
    enum End: Hashable {
        /// Exactly at the end of the file.
        case clean
        /// At bytes that are no valid frame.
        case invalid(reason: String)
        /// Where the visitor wanted it.
        case stopped
    }

    let name: String
    let file: any LogFile
    private(set) var offset = UInt64(SegmentHeader.byteCount)
    private(set) var nextPosition: UInt64
    let size: UInt64

    init(name: String, file: any LogFile, firstPosition: UInt64) throws(StorageError) {
        self.name = name
        self.file = file
        nextPosition = firstPosition
        size = try file.size()
    }

    /// Calls `visit` with each valid frame's header, offset and records, in order, until it answers `false`.
    mutating func walk(
        _ visit: (Frame.Header, UInt64, [LogRecord]) -> Bool
    ) throws(StorageError) -> End {
        while offset < size {
            let bytes = try file.read(at: offset, count: Frame.headerByteCount)
            guard let header = Frame.Header(bytes) else { return .invalid(reason: "no frame begins here") }
            guard header.firstPosition == nextPosition else {
                return .invalid(reason: "the frame begins with position \(header.firstPosition), not \(nextPosition)")
            }
            // The claim of a torn header is no reason to make room for a frame.
            guard UInt64(header.byteCount) <= size - offset else { return .invalid(reason: "the frame is cut short") }
            let whole = try file.read(at: offset, count: header.byteCount)
            switch Frame.decode(header, whole[...]) {
            case .failure(let reason): return .invalid(reason: reason.text)
            case .success(let records):
                let goesOn = visit(header, offset, records)
                offset += UInt64(header.byteCount)
                nextPosition = header.lastPosition + 1
                if !goesOn { return .stopped }
            }
        }
        return .clean
    }

    /// Whether a whole frame, of whatever position, stands at the place where the walk ended or anywhere after it.
    ///
    /// Only one frame is in flight at a time, so a torn write leaves none; damage in the middle does.
    func hasFrameBeyondEnd() throws(StorageError) -> Bool {
        let rest = try file.read(at: offset, count: Int(size - min(size, offset)))
        guard rest.count > Frame.headerByteCount else { return false }
        for start in 0..<(rest.count - Frame.headerByteCount + 1) where rest[start] == UInt8(Frame.magic & 0xff) {
            let candidate = Array(rest[start..<start + Frame.headerByteCount])
            guard let header = Frame.Header(candidate), start + header.byteCount <= rest.count else { continue }
            if case .success = Frame.decode(header, rest[start..<start + header.byteCount]) { return true }
        }
        return false
    }
}
