import Foundation
import SwiftProtobuf

extension Proto {
    /// The first field number that `schemas/events.proto` gives to payloads.
    private static let payloadFieldFirst: UInt64 = 32

    /// What to say of a record without a payload that this version knows.
    var unknownPayloadReason: String {
        var scanner = FieldScanner(unknownFields.data)
        while let number = scanner.nextFieldNumber() {
            guard number >= Self.payloadFieldFirst else { continue }
            return "its type, number \(number) of schemas/events.proto, is not known to this sluice: it was written "
                + "by a newer one; upgrade"
        }
        return "it has no payload"
    }
}

/// Walks the fields of a protobuf message without knowing its schema.
private struct FieldScanner {
    private var rest: Data.SubSequence

    init(_ data: Data) { rest = data[...] }

    /// The next field's number, its value skipped; `nil` at the end, or where the bytes make no sense.
    mutating func nextFieldNumber() -> UInt64? {
        guard let tag = varint() else { return nil }
        switch tag & 7 {
        case 0: guard varint() != nil else { return nil }
        case 1: guard skip(8) else { return nil }
        case 2: guard let count = varint(), skip(count) else { return nil }
        case 5: guard skip(4) else { return nil }
        default: return nil
        }
        return tag >> 3
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    private mutating func skip(_ count: UInt64) -> Bool {
        guard count <= UInt64(rest.count) else { return false }
        rest.removeFirst(Int(count))
        return true
    }
}
