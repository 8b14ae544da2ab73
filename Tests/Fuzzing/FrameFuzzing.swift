import EventLog

/// Any bytes give a frame's header or none, and its records or what is wrong with it.
enum FrameFuzzing {
    static func run(_ input: [UInt8]) throws {
        var reader = InputReader(input)
        switch reader.byte() & 3 {
        case 0: try check(Array(reader.rest))
        case 1: try check(FrameRepair.checksum(Array(reader.rest)))
        case 2: try check(FrameRepair.checksum(FrameRepair.blockSize(Array(reader.rest))))
        default:
            let position = 1 + reader.integer(UInt64.self) % (Frame.positionMax - 64)
            try checkRoundTrip(records(&reader), firstPosition: position)
        }
    }

    private static func check(_ bytes: [UInt8]) throws {
        guard let header = Frame.Header(bytes) else { return }
        // Readers make room for what a header claims before they have seen a checksum.
        try promise(header.count <= header.rawByteCount, "more records are claimed than the batch has bytes")
        try promise(
            header.rawByteCount <= 255 * header.payloadByteCount, "a larger batch is claimed than the payload can hold")
        try promise(header.lastPosition >= header.firstPosition, "the last position is before the first")
        // A slice that does not begin at 0, as it is when a frame is looked for within a segment.
        switch Frame.decode(header, ([0xff] + bytes)[1...].prefix(header.byteCount)) {
        case .failure(let reason): try promise(!reason.text.isEmpty, "a frame is refused without a reason")
        case .success(let records):
            try promise(records.count == header.count, "another number of records than the header has")
            let byteCount = records.reduce(0) { $0 + $1.content.count + 1 }
            try promise(byteCount <= header.rawByteCount, "more bytes come out than the header claims")
            let kept = records.compactMap(\.bytes)
            try promise(header.isPruned || kept.count == records.count, "a hash in a frame that says it has none")
            if !header.isPruned { try checkRoundTrip(kept, firstPosition: header.firstPosition) }
        }
    }

    private static func checkRoundTrip(_ records: [[UInt8]], firstPosition: UInt64) throws {
        guard !records.isEmpty else { return }
        let frame = try Frame.encode(records, firstPosition: firstPosition)
        guard let header = Frame.Header(frame) else { throw BrokenPromise(description: "no header of an own frame") }
        try promise(header.byteCount == frame.count, "an own frame has another size than its header says")
        try promise(header.firstPosition == firstPosition, "an own frame has another position")
        try promise(
            Frame.decode(header, frame[...]) == .success(records.map(LogRecord.kept)), "other records come back")
    }

    private static func records(_ reader: inout InputReader) -> [[UInt8]] {
        var records: [[UInt8]] = []
        while !reader.isAtEnd, records.count < 64 {
            let size = Int(reader.byte())
            records.append(reader.bytes(size))
        }
        return records
    }
}
