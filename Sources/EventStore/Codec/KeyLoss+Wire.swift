import Domain

extension KeyLossAccepted {
    func write(to writer: inout WireWriter) {
        writer.add(1, people)
        writer.add(2, secrets)
        writer.add(3, payloadDays)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (people, secrets, payloadDays): (UInt64, UInt64, UInt64) = (0, 0, 0)
        while let field = try reader.next() {
            switch field {
            case 1: people = try reader.unsigned()
            case 2: secrets = try reader.unsigned()
            case 3: payloadDays = try reader.unsigned()
            default: try reader.skip()
            }
        }
        self.init(people: people, secrets: secrets, payloadDays: payloadDays)
    }
}
