package import Domain

extension RunExpired {
    func write(to writer: inout WireWriter) {
        writer.add(1, runID)
        for id in accessRequestIDs { writer.add(2, id) }
        for usage in usage { writer.add(3) { usage.write(to: &$0) } }
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (runID, requests, usage): (RunID?, [AccessRequestID], [Usage]) = (nil, [], [])
        while let field = try reader.next() {
            switch field {
            case 1: runID = try reader.id("run_expired.run_id")
            case 2: requests.append(try reader.id("run_expired.access_request_ids"))
            case 3: usage.append(try Usage(try reader.message()))
            default: try reader.skip()
            }
        }
        self.init(runID: try required(runID, "run_expired.run_id"), accessRequestIDs: requests, usage: usage)
    }
}

extension RunExpired.Usage {
    fileprivate func write(to writer: inout WireWriter) {
        writer.add(1, UInt64(bitPattern: day))
        writer.add(2, runs)
        writer.add(3, toolCalls)
    }

    fileprivate init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (day, runs, toolCalls): (Int64, UInt32, UInt32) = (0, 0, 0)
        while let field = try reader.next() {
            switch field {
            case 1: day = Int64(bitPattern: try reader.unsigned())
            case 2: runs = try reader.unsigned32()
            case 3: toolCalls = try reader.unsigned32()
            default: try reader.skip()
            }
        }
        self.init(day: day, runs: runs, toolCalls: toolCalls)
    }
}

extension EventCodec {
    /// The stream of a record and nothing else of it; `nil` when it is no event.
    package static func stream(of record: [UInt8]) -> StreamID? {
        try? WireReader.reading(record) { (message) throws(MalformedRecord) -> StreamID? in
            var reader = message
            var kind: StreamID.Kind?
            while let field = try reader.next() {
                switch field {
                case 5: kind = try reader.choice("stream_kind")
                case 6:
                    guard let kind, let id = try reader.optionalUUID("stream_id") else { return nil }
                    return StreamID(kind: kind, id: id)
                default: try reader.skip()
                }
            }
            return nil
        }
    }
}
