import Domain
import EventStore

extension ModelCallJournal {
    func write(to writer: inout WireWriter) {
        for entry in entries { writer.add(1) { entry.write(to: &$0) } }
        writer.add(2, answerBytes)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (entries, answerBytes): ([Entry], UInt64) = ([], 0)
        while let field = try reader.next() {
            switch field {
            case 1: entries.append(try Entry(try reader.message()))
            case 2: answerBytes = try reader.unsigned()
            default: throw .missing("model calls")
            }
        }
        self.init(entries: entries, answerBytes: answerBytes)
    }
}

extension ModelCallJournal.Entry {
    fileprivate func write(to writer: inout WireWriter) {
        writer.add(1, id)
        writer.add(2, identity)
        writer.add(3, isKept)
        writer.add(4, turn)
        writer.add(5, attempt)
    }

    fileprivate init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (id, identity): (ModelCallID?, UUIDValue?)
        var (isKept, turn, attempt): (Bool, UInt32, UInt32) = (false, 0, 0)
        while let field = try reader.next() {
            switch field {
            case 1: id = try reader.id("model call")
            case 2: identity = try reader.optionalUUID("model call")
            case 3: isKept = try reader.bool()
            case 4: turn = try reader.unsigned32()
            case 5: attempt = try reader.unsigned32()
            default: throw .missing("model call")
            }
        }
        self.init(
            id: try required(id, "model call"), identity: try required(identity, "model call"), isKept: isKept,
            turn: turn, attempt: attempt)
    }
}
