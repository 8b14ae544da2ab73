import Domain

extension PersonErasureRequested {
    func write(to writer: inout WireWriter) { writer.add(1, userID) }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var userID = ""
        while let field = try reader.next() {
            switch field {
            case 1: userID = try reader.text()
            default: try reader.skip()
            }
        }
        self.init(userID: userID)
    }
}

extension PersonErased {
    func write(to writer: inout WireWriter) { writer.add(1, events) }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var events: UInt64 = 0
        while let field = try reader.next() {
            switch field {
            case 1: events = try reader.unsigned()
            default: try reader.skip()
            }
        }
        self.init(events: events)
    }
}
