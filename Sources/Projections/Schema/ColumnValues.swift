import Domain
import Foundation
import GRDB

// How domain values stand in columns: UUIDs as 16-byte blobs, times as microseconds, enums as their wire names.

extension Identifier {
    var column: Data { value.column }
}

extension UUIDValue {
    var column: Data { withUnsafeBytes { Data($0) } }
}

extension [UInt8] {
    var column: Data { Data(self) }
}

extension Optional {
    func column<Entity>() -> Data? where Wrapped == Identifier<Entity> { map(\.column) }
}

extension String {
    private static let escape: Unicode.Scalar = "\u{10}"

    /// The text as a column holds it. SQLite's readers of text end at a NUL, so that NUL is written as U+0010 and `0`, and
    /// U+0010 as itself and `1`.
    var freeText: String {
        guard utf8.contains(where: { $0 == 0 || $0 == 0x10 }) else { return self }
        var text = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            switch scalar {
            case "\0": text += [Self.escape, "0"]
            case Self.escape: text += [Self.escape, "1"]
            default: text.append(scalar)
            }
        }
        return String(text)
    }

    /// The text that a column's text stands for.
    fileprivate init(freeText column: String) {
        guard column.utf8.contains(0x10) else {
            self = column
            return
        }
        var (text, rest) = (String.UnicodeScalarView(), column.unicodeScalars[...])
        while let scalar = rest.popFirst() {
            guard scalar == Self.escape, let next = rest.first, next == "0" || next == "1" else {
                text.append(scalar)
                continue
            }
            text.append(next == "0" ? "\0" : Self.escape)
            rest.removeFirst()
        }
        self = String(text)
    }
}

extension Optional<String> {
    var freeText: String? { map(\.freeText) }
}

extension Row {
    /// A text that clients, agents or services wrote freely, and that may hold NUL.
    func freeText(_ name: String) throws -> String? { (try column(name) as String?).map(String.init(freeText:)) }

    /// A column's value. A damaged file may hold none, or another one than was written: that is an error of this read.
    func column<Value: DatabaseValueConvertible & StatementColumnConvertible>(_ name: String) throws -> Value {
        try decode(Value.self, forColumn: name)
    }

    /// A sum of numbers that are not negative; zero for the sum of none.
    func sum(_ name: String) throws -> UInt64 { UInt64(clamping: (try column(name) as Int64?) ?? 0) }

    func position(_ name: String = "position") throws -> Position {
        guard let number = UInt64(exactly: try column(name) as Int64) else { throw MalformedRow(name) }
        return Position(number)
    }

    func identifier<Entity>(_ name: String) throws -> Identifier<Entity> {
        guard let value = try optionalIdentifier(name) as Identifier<Entity>? else { throw MalformedRow(name) }
        return value
    }

    func optionalIdentifier<Entity>(_ name: String) throws -> Identifier<Entity>? {
        guard let data = try column(name) as Data? else { return nil }
        guard let value = data.withUnsafeBytes({ UUIDValue(bytes: $0) }) else { throw MalformedRow(name) }
        return Identifier(value)
    }

    func time(_ name: String) throws -> Timestamp { Timestamp(microseconds: try column(name)) }

    func optionalTime(_ name: String) throws -> Timestamp? {
        (try column(name) as Int64?).map(Timestamp.init(microseconds:))
    }

    func value<Value: RawRepresentable>(_ name: String) throws -> Value where Value.RawValue == String {
        guard let value = Value(rawValue: try column(name)) else { throw MalformedRow(name) }
        return value
    }

    func workspace() throws -> WorkspaceName {
        guard let workspace = WorkspaceName(try column("workspace") as String) else { throw MalformedRow("workspace") }
        return workspace
    }
}

/// A row that this version did not write, or that is damaged.
struct MalformedRow: Error, CustomStringConvertible {
    let column: String

    init(_ column: String) { self.column = column }

    var description: String { "column \(column) holds no value of this version" }
}

extension Database {
    /// The first row of a statement that is parsed once per connection.
    func first<Record>(
        _ sql: String, _ arguments: StatementArguments, _ record: (Row) throws -> Record
    ) throws -> Record? {
        try Row.fetchOne(try cachedStatement(sql: sql), arguments: arguments).map(record)
    }

    /// Executes a statement that is parsed once per connection.
    func run(_ sql: String, _ arguments: StatementArguments) throws {
        try cachedStatement(sql: sql).execute(arguments: arguments)
    }
}
