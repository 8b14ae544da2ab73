/// Reads records from any position on, up to a durable position that the caller names.
///
/// Remembers where readers stopped, so that going on costs one frame; a position never seen is found by walking the
/// frame headers of its segment.
package struct LogReader {
    private struct Place {
        let segment: UInt64
        let offset: UInt64
        let position: UInt64
    }

    /// Places to go on from; the oldest is forgotten first.
    private static let placesMax = 256

    let storage: any LogStorage
    private var segments: [UInt64] = []
    private var places: [Place] = []
    private var openFile: (segment: UInt64, file: any LogFile)?

    package init(storage: any LogStorage) { self.storage = storage }

    /// Records from `position` to at most `durable`, until about `bytesMax` raw bytes are read, at least one frame's.
    package mutating func read(
        from position: UInt64, through durable: UInt64, bytesMax: Int
    ) throws(LogError) -> [LogRecord] {
        guard position <= durable else { return [] }
        var place = try find(position)
        var records: [LogRecord] = []
        var byteCount = 0
        while place.position <= durable, byteCount < bytesMax {
            guard let (header, frame) = try frame(at: place) else {
                guard let next = try following(place) else { throw damaged(place, "the segment ends too early") }
                place = next
                continue
            }
            let decoded = try decode(header, frame, place)
            let skipped = position > header.firstPosition ? Int(position - header.firstPosition) : 0
            let beyond = header.lastPosition > durable ? Int(header.lastPosition - durable) : 0
            records += decoded.dropFirst(skipped).dropLast(beyond)
            byteCount += header.rawByteCount
            place = Place(
                segment: place.segment, offset: place.offset + UInt64(header.byteCount),
                position: header.lastPosition + 1)
        }
        remember(place)
        return records
    }

    /// Forgets where things are in a segment that was replaced.
    mutating func forget(_ segment: UInt64) {
        places.removeAll { $0.segment == segment }
        if openFile?.segment == segment { openFile = nil }
    }

    private mutating func find(_ position: UInt64) throws(LogError) -> Place {
        if let known = places.last(where: { $0.position == position }) { return known }
        if segments.last.map({ position < $0 }) != true { segments = try LogRecovery.segmentPositions(storage) }
        guard let segment = segments.last(where: { $0 <= position }) else {
            throw .damaged(
                segment: SegmentHeader.fileName(firstPosition: position), position: position, offset: 0,
                reason: "no segment holds this position")
        }
        var place = Place(segment: segment, offset: UInt64(SegmentHeader.byteCount), position: segment)
        if let nearer = places.filter({ $0.segment == segment && $0.position <= position }).max(by: {
            $0.position < $1.position
        }) {
            place = nearer
        }
        while true {
            guard let header = try header(at: place) else { throw damaged(place, "no frame holds this position") }
            guard header.lastPosition < position else { return place }
            place = Place(
                segment: segment, offset: place.offset + UInt64(header.byteCount), position: header.lastPosition + 1)
        }
    }

    /// The beginning of the next segment, when `place` is the end of its own.
    private mutating func following(_ place: Place) throws(LogError) -> Place? {
        if !segments.contains(place.position) { segments = try LogRecovery.segmentPositions(storage) }
        guard place.position > place.segment, segments.contains(place.position) else { return nil }
        return Place(
            segment: place.position, offset: UInt64(SegmentHeader.byteCount), position: place.position)
    }

    private mutating func header(at place: Place) throws(LogError) -> Frame.Header? {
        let bytes = try bytes(at: place, count: Frame.headerByteCount)
        guard !bytes.isEmpty else { return nil }
        guard let header = Frame.Header(bytes), header.firstPosition == place.position else {
            throw damaged(place, "no frame begins here")
        }
        return header
    }

    private mutating func frame(at place: Place) throws(LogError) -> (Frame.Header, [UInt8])? {
        guard let header = try header(at: place) else { return nil }
        return (header, try bytes(at: place, count: header.byteCount))
    }

    private func decode(
        _ header: Frame.Header, _ frame: [UInt8], _ place: Place
    ) throws(LogError) -> [LogRecord] {
        switch Frame.decode(header, frame[...]) {
        case .success(let records): return records
        case .failure(let reason): throw damaged(place, reason.text)
        }
    }

    private mutating func bytes(at place: Place, count: Int) throws(LogError) -> [UInt8] {
        let file: any LogFile
        if let openFile, openFile.segment == place.segment {
            file = openFile.file
        } else {
            let name = SegmentHeader.fileName(firstPosition: place.segment)
            file = try LogRecovery.wrap { () throws(StorageError) in try storage.open(name, isWritable: false) }
            openFile = (place.segment, file)
        }
        return try LogRecovery.wrap { () throws(StorageError) in try file.read(at: place.offset, count: count) }
    }

    private mutating func remember(_ place: Place) {
        places.removeAll { $0.position == place.position }
        if places.count >= Self.placesMax { places.removeFirst() }
        places.append(place)
    }

    private func damaged(_ place: Place, _ reason: String) -> LogError {
        .damaged(
            segment: SegmentHeader.fileName(firstPosition: place.segment), position: place.position,
            offset: place.offset, reason: reason)
    }
}
