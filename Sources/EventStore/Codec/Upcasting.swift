/// Brings records of older schema versions to the current one, a step a version.
///
/// A step reads what its version wrote and returns the same fact as the next version writes it. The log itself is
/// never rewritten; `schemas/golden/` keeps records of every released version and the tests replay them.
enum Upcasting {
    typealias Step = @Sendable ([UInt8]) throws(MalformedRecord) -> [UInt8]

    /// `steps[v]` turns version v into v + 1. Version 1 is the first, so there is none yet.
    static let steps: [UInt32: Step] = [:]

    static func upcast(
        _ record: [UInt8], to version: UInt32 = EventCodec.schemaVersion, steps: [UInt32: Step] = steps
    ) throws(MalformedRecord) -> [UInt8] {
        var upcast = record
        var current = try Self.version(of: record)
        guard current <= version else {
            throw MalformedRecord(
                "it was written with schema version \(current), and this sluice knows \(version): upgrade sluice")
        }
        while current < version {
            guard let step = steps[current] else {
                throw MalformedRecord("schema version \(current) was never released")
            }
            upcast = try step(upcast)
            current += 1
        }
        return upcast
    }

    /// The version that a record says it has: its first field, in what Sluice writes.
    private static func version(of record: [UInt8]) throws(MalformedRecord) -> UInt32 {
        try WireReader.reading(record) { (message) throws(MalformedRecord) in
            var reader = message
            while let field = try reader.next() {
                if field == 1 { return try reader.unsigned32() }
                try reader.skip()
            }
            return 0
        }
    }
}
