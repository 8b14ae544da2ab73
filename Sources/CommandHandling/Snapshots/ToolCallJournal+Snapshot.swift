import Domain
import EventStore

extension ToolCallJournal {
    func write(to writer: inout WireWriter) {
        for entry in entries { writer.add(1) { entry.write(to: &$0) } }
        writer.add(2, turn)
        writer.add(3, attempt)
        writer.add(4, restartsHandler)
        writer.add(5, UInt64(scope.rawValue))
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (entries, turn, attempt, restartsHandler): ([Entry], UInt32, UInt32, Bool) = ([], 0, 0, false)
        var scope: Scope? = .checkpoint
        while let field = try reader.next() {
            switch field {
            case 1: entries.append(try Entry(try reader.message()))
            case 2: turn = try reader.unsigned32()
            case 3: attempt = try reader.unsigned32()
            case 4: restartsHandler = try reader.bool()
            case 5: scope = Scope(rawValue: UInt8(truncatingIfNeeded: try reader.unsigned()))
            default: throw .missing("calls")
            }
        }
        self.init(
            entries: entries, turn: turn, attempt: attempt, restartsHandler: restartsHandler,
            scope: try required(scope, "scope"))
    }
}

extension ToolCallJournal.Entry {
    fileprivate func write(to writer: inout WireWriter) {
        writer.add(1, id)
        writer.add(2, fingerprint)
        writer.add(3, UInt64(stage.rawValue))
        writer.add(4, isPast)
        writer.add(5, attempt)
        writer.add(6, isRepetition)
    }

    fileprivate init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (id, fingerprint): (ToolCallID?, UUIDValue?)
        var (stage, attempt, isPast, isRepetition): (Stage?, UInt32, Bool, Bool) = (.open, 0, false, false)
        while let field = try reader.next() {
            switch field {
            case 1: id = try reader.id("call")
            case 2: fingerprint = try reader.optionalUUID("call")
            case 3: stage = Stage(rawValue: UInt8(truncatingIfNeeded: try reader.unsigned()))
            case 4: isPast = try reader.bool()
            case 5: attempt = try reader.unsigned32()
            case 6: isRepetition = try reader.bool()
            default: throw .missing("call")
            }
        }
        self.init(
            id: try required(id, "call"), fingerprint: try required(fingerprint, "call"),
            stage: try required(stage, "call"), attempt: attempt,
            isRepetition: isRepetition, isPast: isPast)
    }
}
