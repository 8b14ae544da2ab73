package import Domain

/// Writes the fields of a protobuf message (protobuf.dev, "Encoding").
///
/// Given in the order of their numbers, the bytes are those of every other protobuf writer: a field without presence is
/// left out when it has its default, an optional one when it is `nil`.
package struct WireWriter {
    package private(set) var bytes: [UInt8] = []

    package init(capacity: Int) { bytes.reserveCapacity(capacity) }

    package mutating func add(_ number: UInt64, _ value: UInt64) { if value != 0 { add(number, optional: value) } }

    package mutating func add(_ number: UInt64, optional value: UInt64?) {
        guard let value else { return }
        append(number << 3)
        append(value)
    }

    package mutating func add(_ number: UInt64, _ value: UInt32) { add(number, UInt64(value)) }

    package mutating func add(_ number: UInt64, _ value: Bool) { add(number, value ? 1 : 0 as UInt64) }

    package mutating func add(_ number: UInt64, _ time: Timestamp) {
        add(number, UInt64(bitPattern: time.microseconds))
    }

    package mutating func add(_ number: UInt64, optional time: Timestamp?) {
        add(number, optional: time.map { UInt64(bitPattern: $0.microseconds) })
    }

    package mutating func add(_ number: UInt64, fixed time: Timestamp) {
        guard time.microseconds != 0 else { return }
        append(number << 3 | 1)
        withUnsafeBytes(of: time.microseconds.littleEndian) { bytes.append(contentsOf: $0) }
    }

    package mutating func add(_ number: UInt64, _ duration: Duration) {
        if duration != .zero { add(number, optional: duration) }
    }

    package mutating func add(_ number: UInt64, optional duration: Duration?) {
        guard let parts = duration?.components else { return }
        let microseconds = parts.seconds * 1_000_000 + parts.attoseconds / 1_000_000_000_000
        add(number, optional: UInt64(bitPattern: microseconds))
    }

    package mutating func add(_ number: UInt64, _ text: String) { if !text.isEmpty { add(number, optional: text) } }

    package mutating func add(_ number: UInt64, optional text: String?) {
        guard let text else { return }
        append(number << 3 | 2)
        append(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    package mutating func add(_ number: UInt64, _ texts: [String]) { for text in texts { add(number, optional: text) } }

    package mutating func add(_ number: UInt64, _ value: [UInt8]) {
        if !value.isEmpty { add(number, optional: value) }
    }

    package mutating func add(_ number: UInt64, optional value: [UInt8]?) {
        guard let value else { return }
        append(number << 3 | 2)
        append(UInt64(value.count))
        bytes += value
    }

    package mutating func add(_ number: UInt64, _ value: UUIDValue) {
        append(number << 3 | 2)
        append(16)
        value.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }

    package mutating func add<Entity>(_ number: UInt64, _ id: Identifier<Entity>?) {
        if let id { add(number, id.value) }
    }

    package mutating func add(_ number: UInt64, _ choice: some WireChoice) { add(number, choice.wireNumber) }

    /// Adds a message, an empty one too; `body` writes its fields.
    package mutating func add(_ number: UInt64, _ body: (inout WireWriter) -> Void) {
        append(number << 3 | 2)
        let start = bytes.count
        body(&self)
        // Its length is known only now; nearly always that is one byte or two to make room for.
        var count = UInt64(bytes.count - start)
        var position = start
        while count >= 0x80 {
            bytes.insert(UInt8(truncatingIfNeeded: count) | 0x80, at: position)
            position += 1
            count >>= 7
        }
        bytes.insert(UInt8(count), at: position)
    }

    /// Adds bytes that are the value of that kind of field.
    mutating func add(_ number: UInt64, kind: UInt8, raw value: UnsafeRawBufferPointer) {
        append(number << 3 | UInt64(kind))
        bytes.append(contentsOf: value)
    }

    /// Adds a value that is no field, after its length.
    mutating func add(lengthAnd value: [UInt8]) {
        append(UInt64(value.count))
        bytes += value
    }

    private mutating func append(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
