package import Domain

/// Turns events into the log's records and back; the schema is `schemas/events.proto`.
package enum EventCodec {
    /// The version that new records are written with.
    package static let schemaVersion: UInt32 = 1

    /// The record of an event: the bytes that every protobuf writer gives for it.
    package static func encode(_ event: Event) -> [UInt8] {
        // What most events take, ids and texts together.
        var writer = WireWriter(capacity: 256 + event.payload.approximateSizeBytes)
        event.write(to: &writer)
        return writer.bytes
    }

    /// The event of a record, of this schema version or an older one.
    ///
    /// - Parameters:
    ///   - position: named in the error.
    ///   - personal: opens what is sealed in it.
    package static func decode(
        _ bytes: [UInt8], at position: UInt64? = nil, opening personal: any PersonalDataReader = WithoutKeys()
    ) throws(EventStoreError) -> Event {
        do {
            let record = try opened(try Upcasting.upcast(bytes), personal)
            return try WireReader.reading(record) { (reader) throws(MalformedRecord) in try Event(reader) }
        } catch {
            throw .undecodable(position: position, reason: error.reason)
        }
    }
}
