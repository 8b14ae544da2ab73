package import Domain

/// Walks the fields of a protobuf message, in whatever order they come (protobuf.dev, "Encoding").
///
/// `next` says which field follows; then exactly one of the other methods takes or skips its value. Nothing is copied
/// but what is given out, and nothing beyond the message is ever looked at. The bytes have to outlive the reader.
package struct WireReader {
    private enum Kind: UInt8 {
        case varint = 0
        case fixed64 = 1
        case lengthDelimited = 2
        case fixed32 = 5
    }

    private var rest: UnsafeRawBufferPointer
    private var kind = Kind.varint

    private init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

    /// Reads a message with `body`, which must not keep the reader.
    package static func reading<Result>(
        _ bytes: [UInt8], _ body: (WireReader) throws(MalformedRecord) -> Result
    ) throws(MalformedRecord) -> Result {
        try bytes.withUnsafeBufferPointer { (bytes) throws(MalformedRecord) in
            try body(WireReader(UnsafeRawBufferPointer(bytes)))
        }
    }

    /// The next field's number; `nil` at the end of the message.
    package mutating func next() throws(MalformedRecord) -> UInt64? {
        guard !rest.isEmpty else { return nil }
        let tag = try rawVarint()
        guard let kind = Kind(rawValue: UInt8(tag & 7)), tag >> 3 != 0 else {
            throw MalformedRecord("it is no protobuf message")
        }
        self.kind = kind
        return tag >> 3
    }

    package mutating func unsigned() throws(MalformedRecord) -> UInt64 {
        try expect(.varint)
        return try rawVarint()
    }

    package mutating func unsigned32() throws(MalformedRecord) -> UInt32 { UInt32(truncatingIfNeeded: try unsigned()) }

    package mutating func bool() throws(MalformedRecord) -> Bool { try unsigned() != 0 }

    package mutating func time() throws(MalformedRecord) -> Timestamp {
        Timestamp(microseconds: Int64(bitPattern: try unsigned()))
    }

    package mutating func fixedTime() throws(MalformedRecord) -> Timestamp {
        try expect(.fixed64)
        return Timestamp(microseconds: Int64(littleEndian: try take(8).loadUnaligned(as: Int64.self)))
    }

    package mutating func duration() throws(MalformedRecord) -> Duration {
        .microseconds(Int64(bitPattern: try unsigned()))
    }

    package mutating func text() throws(MalformedRecord) -> String {
        try lengthDelimited().withMemoryRebound(to: UInt8.self) { (bytes) throws(MalformedRecord) in
            do {
                return String(copying: try UTF8Span(validating: bytes.span))
            } catch {
                throw MalformedRecord("a text is not UTF-8")
            }
        }
    }

    package mutating func byteArray() throws(MalformedRecord) -> [UInt8] { Array(try lengthDelimited()) }

    package mutating func json() throws(MalformedRecord) -> JSONText { JSONText(verified: try text()) }

    /// 16 bytes; `nil` when there are none.
    package mutating func optionalUUID(_ field: String) throws(MalformedRecord) -> UUIDValue? {
        let bytes = try lengthDelimited()
        if bytes.isEmpty { return nil }
        guard let value = UUIDValue(bytes: bytes) else { throw .missing(field) }
        return value
    }

    package mutating func id<Entity>(_ field: String) throws(MalformedRecord) -> Identifier<Entity> {
        guard let value = try optionalUUID(field) else { throw .missing(field) }
        return Identifier(value)
    }

    package mutating func choice<Choice: WireChoice>(_ field: String) throws(MalformedRecord) -> Choice {
        let number = try unsigned()
        guard let choice = Choice.allCases.first(where: { $0.wireNumber == number }) else { throw .missing(field) }
        return choice
    }

    /// The message in the field, which has to be read before its bytes go away.
    package mutating func message() throws(MalformedRecord) -> WireReader { WireReader(try lengthDelimited()) }

    package mutating func skip() throws(MalformedRecord) {
        switch kind {
        case .varint: _ = try rawVarint()
        case .fixed64: _ = try take(8)
        case .lengthDelimited: _ = try lengthDelimited()
        case .fixed32: _ = try take(4)
        }
    }

    /// Whether the field's value says how long it is.
    var isLengthDelimited: Bool { kind == .lengthDelimited }

    /// Puts the field as it is into another message.
    mutating func copy(_ number: UInt64, to writer: inout WireWriter) throws(MalformedRecord) {
        switch kind {
        case .varint: writer.add(number, optional: try rawVarint())
        case .fixed64, .fixed32:
            writer.add(number, kind: kind.rawValue, raw: try take(kind == .fixed64 ? 8 : 4))
        case .lengthDelimited: writer.add(number, optional: try byteArray())
        }
    }

    /// A length and as many bytes, at a place in others; `nil` when they are not there.
    static func lengthAndValue(_ bytes: [UInt8], at offset: inout Int) -> [UInt8]? {
        guard (0...bytes.count).contains(offset) else { return nil }
        let value: ([UInt8], Int)? = bytes.withUnsafeBytes { buffer in
            var reader = WireReader(UnsafeRawBufferPointer(rebasing: buffer[offset...]))
            guard let count = try? reader.rawVarint(), let value = try? reader.take(count) else { return nil }
            return (Array(value), buffer.count - reader.rest.count)
        }
        guard let (found, next) = value else { return nil }
        offset = next
        return found
    }

    private func expect(_ expected: Kind) throws(MalformedRecord) {
        guard kind == expected else { throw MalformedRecord("a field is not of the kind that the schema says") }
    }

    private mutating func lengthDelimited() throws(MalformedRecord) -> UnsafeRawBufferPointer {
        try expect(.lengthDelimited)
        return try take(try rawVarint())
    }

    private mutating func take(_ count: UInt64) throws(MalformedRecord) -> UnsafeRawBufferPointer {
        guard count <= UInt64(rest.count) else { throw MalformedRecord("it ends too early") }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest[Int(count)...]) }
        return UnsafeRawBufferPointer(rebasing: rest[..<Int(count)])
    }

    private mutating func rawVarint() throws(MalformedRecord) -> UInt64 {
        var value: UInt64 = 0
        var index = 0
        while index < min(rest.count, 10) {
            let byte = rest[index]
            value |= UInt64(byte & 0x7f) << UInt64(7 * index)
            index += 1
            if byte < 0x80 {
                rest = UnsafeRawBufferPointer(rebasing: rest[index...])
                return value
            }
        }
        throw MalformedRecord("it ends too early")
    }
}

/// An enumeration of the schema; number 0 is never written.
package protocol WireChoice: CaseIterable {
    var wireNumber: UInt64 { get }
}

/// Says which field of a record is not what the schema allows.
package struct MalformedRecord: Error {
    package let reason: String

    package init(_ reason: String) { self.reason = reason }

    package static func missing(_ field: String) -> MalformedRecord {
        MalformedRecord("\(field) is missing or malformed")
    }
}

/// The value of a field that has to be there.
package func required<Value>(_ value: Value?, _ field: String) throws(MalformedRecord) -> Value {
    guard let value else { throw .missing(field) }
    return value
}
