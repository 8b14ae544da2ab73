import Domain
import EventLog
package import EventStore

/// Goes through records of the log for those that name one thing, and decodes no other. What is not kept any more names
/// nothing.
struct RecordScan: Sendable {
    struct Found: Sendable {
        let record: [UInt8]
        let recorded: RecordedEvent
        /// What its seals hold, of those that could be opened.
        let disclosed: [[UInt8]]
    }

    private static let readBytesMax = 128 * 1024

    let log: any LogBackend
    let personal: any PersonalDataReader
    let subject: UUIDValue
    private(set) var next: UInt64
    let last: UInt64

    init(
        _ log: any LogBackend, _ personal: any PersonalDataReader, for subject: UUIDValue, from first: UInt64,
        through last: UInt64
    ) {
        self.log = log
        self.personal = personal
        self.subject = subject
        self.last = last
        next = max(first, 1)
    }

    /// The next records that name the subject; none of a batch may, and `nil` means that the end is reached.
    mutating func batch() async throws(AuditError) -> [Found]? {
        guard next <= last else { return nil }
        let records: [LogRecord]
        do {
            records = try await log.read(from: next, bytesMax: Self.readBytesMax)
        } catch {
            throw .logUnreadable(error.description)
        }
        guard !records.isEmpty else { throw .logUnreadable("position \(next) is missing") }
        var found: [Found] = []
        for record in records {
            guard next <= last else { break }
            if let record = record.bytes, record.names(subject) {
                let (event, disclosed): (Event, [[UInt8]])
                do {
                    event = try EventCodec.decode(record, at: next, opening: personal)
                    disclosed = try EventCodec.seals(in: record).compactMap { seal in
                        if case .plaintext(let text) = personal.open(seal, in: event.id) { text } else { nil }
                    }
                } catch {
                    throw .logUnreadable("\(error)")
                }
                found.append(
                    Found(
                        record: record, recorded: RecordedEvent(position: Position(next), event: event),
                        disclosed: disclosed))
            }
            next += 1
        }
        return found
    }
}

extension [UInt8] {
    /// Whether the 16 bytes of the id are somewhere in these.
    fileprivate func names(_ id: UUIDValue) -> Bool {
        withUnsafeBytes { bytes in
            guard bytes.count >= 16 else { return false }
            let (high, low) = (id.high.bigEndian, id.low.bigEndian)
            // The low half first: that of ids made at the same time differs.
            return (0...bytes.count - 16).contains { offset in
                bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self) == low
                    && bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) == high
            }
        }
    }
}
