/// Goes through a record's personal fields in the order in which they stand, and puts something else in their places.
struct RecordRewriting {
    typealias Replacement = (PersonalFields.Kind, PersonalFields.Owner, [UInt8]) throws(MalformedRecord) -> [UInt8]?

    /// The envelope's field with the seals.
    static let sealsField: UInt64 = 14

    /// What stands before the seals, and what after.
    private(set) var before: WireWriter
    private(set) var after: WireWriter

    /// - Parameter replace: is given a personal field's value and says what takes its place; `nil` leaves the field out.
    init(
        _ record: [UInt8], _ replace: Replacement
    ) throws(MalformedRecord) {
        before = WireWriter(capacity: 256)
        after = WireWriter(capacity: record.count)
        try WireReader.reading(record) { (envelope) throws(MalformedRecord) in
            var reader = envelope
            while let field = try reader.next() {
                if field == Self.sealsField {
                    try reader.skip()
                } else if field < Self.sealsField {
                    try Self.copy(field, &reader, to: &before, replace)
                } else {
                    try Self.copy(field, &reader, to: &after, replace)
                }
            }
        }
    }

    /// The record, with these seals in it.
    func record(_ seals: [PersonalSeal]) -> [UInt8] {
        var writer = before
        for seal in seals { writer.add(Self.sealsField) { seal.write(to: &$0) } }
        return writer.bytes + after.bytes
    }

    /// Puts a field of the envelope into another one.
    private static func copy(
        _ field: UInt64, _ reader: inout WireReader, to writer: inout WireWriter, _ replace: Replacement
    ) throws(MalformedRecord) {
        guard PersonalFields.mayHold(field), reader.isLengthDelimited else {
            return try reader.copy(field, to: &writer)
        }
        let body = try copy(try reader.message(), { PersonalFields.rule(field, $0) }, replace) {
            (inner, message) throws(MalformedRecord) in
            try copy(message, { PersonalFields.rule(field, inner, $0) }, replace) { (_, _) throws(MalformedRecord) in
                preconditionFailure("personal fields are two messages deep at most")
            }
        }
        writer.add(field, optional: body)
    }

    /// A copy of a message, whose fields `rule` tells apart.
    private static func copy(
        _ message: WireReader, _ rule: (UInt64) -> PersonalFields.Rule, _ replace: Replacement,
        _ descend: (UInt64, WireReader) throws(MalformedRecord) -> [UInt8]
    ) throws(MalformedRecord) -> [UInt8] {
        var reader = message
        var body = WireWriter(capacity: 128)
        while let field = try reader.next() {
            switch rule(field) {
            case .personal(let kind, let owner):
                guard let value = try replace(kind, owner, try reader.byteArray()) else { continue }
                body.add(field, optional: value)
            case .message: body.add(field, optional: try descend(field, try reader.message()))
            case .plain: try reader.copy(field, to: &body)
            }
        }
        return body.bytes
    }
}
