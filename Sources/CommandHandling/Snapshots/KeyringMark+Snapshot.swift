import Domain
import EventStore

extension KeyringMark {
    func write(to writer: inout WireWriter) {
        writer.add(1, keyringID.high)
        writer.add(2, keyringID.low)
        writer.add(3, generation)
        writer.add(4, lossGeneration)
    }

    init(_ reader: consuming WireReader) throws(MalformedRecord) {
        var (high, low, generation, lossGeneration): (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        while let field = try reader.next() {
            switch field {
            case 1: high = try reader.unsigned()
            case 2: low = try reader.unsigned()
            case 3: generation = try reader.unsigned()
            case 4: lossGeneration = try reader.unsigned()
            default: throw .missing("keyring")
            }
        }
        self.init(
            keyringID: UUIDValue(high: high, low: low), generation: generation, lossGeneration: lossGeneration)
    }
}
