package import Domain
import SwiftProtobuf

typealias Proto = Sluice_Events_V1_Envelope

/// Turns events into the log's records and back; the schema is `schemas/events.proto`.
package enum EventCodec {
    /// The version that new records are written with.
    package static let schemaVersion: UInt32 = 1

    /// The record of an event.
    package static func encode(_ event: Event) throws(EventStoreError) -> [UInt8] {
        do {
            return try Proto(event).serializedBytes()
        } catch {
            throw .undecodable(position: nil, reason: "\(error)")
        }
    }

    /// The event of a record, of this schema version or an older one.
    ///
    /// - Parameter position: named in the error.
    package static func decode(_ bytes: [UInt8], at position: UInt64? = nil) throws(EventStoreError) -> Event {
        let envelope: Proto
        do {
            envelope = try Upcasting.upcast(try Proto(serializedBytes: bytes))
            return try Event(envelope)
        } catch let error as MalformedRecord {
            throw .undecodable(position: position, reason: error.reason)
        } catch {
            throw .undecodable(position: position, reason: "\(error)")
        }
    }
}

/// Says which field of a record is not what the schema allows.
struct MalformedRecord: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

extension MalformedRecord {
    static func missing(_ field: String) -> MalformedRecord { MalformedRecord("\(field) is missing or malformed") }
}
